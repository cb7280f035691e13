/** The `User-Agent` of lastcall's own requests, by which proxies and servers can tell them from those of handlers. */
import { nearestPackage } from '../module-file.js';

const { version } = nearestPackage(import.meta.dirname) ?? {};

/** The version of lastcall, if it is known. */
export const ownVersion = typeof version === 'string' ? version : undefined;

export const userAgent = ownVersion === undefined ? 'lastcall' : `lastcall/${ownVersion}`;
