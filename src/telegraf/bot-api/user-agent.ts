/** The `User-Agent` of lastcall's own requests, by which proxies and servers can tell them from those of handlers. */
import { nearestPackage } from '../module-file.js';

const version = nearestPackage(import.meta.dirname)?.version;

export const userAgent = typeof version === 'string' ? `lastcall/${version}` : 'lastcall';
