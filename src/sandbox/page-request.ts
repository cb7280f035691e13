/** Tells requests of the page from those of bots and of the control API. */
import type { IncomingMessage } from 'node:http';

const FILE = /^\/(?:$|\?|page\/)/;
const EVENTS_OR_ACTION = /^\/sandbox\/(?:page\/|events(?:$|\?))/;

/** Whether a request is for the page: its files, its events, or what a person does there. */
export const isPageRequest = ({ method, url = '' }: IncomingMessage): boolean =>
  EVENTS_OR_ACTION.test(url) || ((method === 'GET' || method === 'HEAD') && FILE.test(url));
