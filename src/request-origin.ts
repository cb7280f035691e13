/**
 * Tells requests of web pages from those of programs. The server listens on the loopback interface, where every page that
 * a browser shows can reach it: without this check, a page could speak in any person's name and switch faults on.
 */
import type { IncomingHttpHeaders } from 'node:http';

const LOOPBACK_NAME = /^(localhost|[\w.-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])\.?$/i;

/** The values of `Sec-Fetch-Site` that browsers send for pages of the same host, and for what a person opens. */
const OWN_SITES: readonly string[] = ['same-origin', 'same-site', 'none'];

/**
 * Returns why a request is refused: it is for another host, or comes from another site. Undefined for one that is served.
 * Bots may reach the server by another name, through a proxy: `servesAnyHost` lets them, as they are no browsers.
 */
export function foreignOrigin(headers: IncomingHttpHeaders, servesAnyHost: boolean): string | undefined {
  const { host, origin, 'sec-fetch-site': site } = headers;
  const isAnyHost = servesAnyHost && site === undefined;
  if (host !== undefined && !isAnyHost && !isLoopback(`http://${host}`))
    return `the request is for the host '${host}', and this server answers only to localhost, 127.0.0.1 and [::1]`;
  if (origin !== undefined && !isLoopback(origin))
    return `the request comes from a web page of '${origin}', and this server answers only programs and its own pages`;
  if (site !== undefined && !OWN_SITES.includes(`${site}`))
    return 'the request comes from a web page of another site (Sec-Fetch-Site), and this server answers only programs and its own pages';
  return undefined;
}

/** Whether a URL has a loopback name, with any port. */
function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return /^https?:$/.test(protocol) && LOOPBACK_NAME.test(hostname);
}
