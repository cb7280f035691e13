/**
 * Tells requests of web pages from those of programs. The server listens on the loopback interface, where every page that
 * a browser shows can reach it: without this check, a page could speak in any person's name and switch faults on.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** A loopback name with any port. It is matched as it is written: parsing a URL takes longer than all else that a call needs. */
const LOOPBACK_HOST = /^(localhost|[\w.-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])\.?(:\d{1,5})?$/i;
const WEB_ORIGIN = /^https?:\/\//;

/** The values of `Sec-Fetch-Site` that browsers send for pages of the same host, and for what a person opens. */
const OWN_SITES: readonly string[] = ['same-origin', 'same-site', 'none'];

/** Hosts for which a server is asked by programs, besides the names of the loopback interface. */
export interface OtherHosts {
  /** Whether the server answers to a host: a name in lower case without a port, or an address. */
  readonly includes: (host: string) => boolean;
  /** What they are, in words that follow "and". */
  readonly words: string;
}

/**
 * Returns why a request is refused: it is for another host, or comes from another site. Undefined for one that is served.
 *
 * A browser takes a page for one of this server when the name of the page's host is made to stand for 127.0.0.1, and
 * tells a server that has no certificate nothing of where its requests come from. So only the host gives such a page away.
 */
export function foreignOrigin(headers: IncomingHttpHeaders, others?: OtherHosts): string | undefined {
  const { host, origin, 'sec-fetch-site': site } = headers;
  // Those who reach the server by another name are programs, and no browsers.
  const isServed = (name: string) => site === undefined && (others?.includes(name) ?? false);
  if (host !== undefined && !LOOPBACK_HOST.test(host) && !isServed(nameIn(host)))
    return `the request is for the host '${host}', and this server answers only to localhost, 127.0.0.1 and [::1]${others ? `, and ${others.words}` : ''}`;
  if (origin !== undefined && !isLoopbackOrigin(origin))
    return `the request comes from a web page of '${origin}', and this server answers only programs and its own pages`;
  if (site !== undefined && !OWN_SITES.includes(`${site}`))
    return 'the request comes from a web page of another site (Sec-Fetch-Site), and this server answers only programs and its own pages';
  return undefined;
}

/** Returns the name in a `Host` header as URLs have it: in lower case, without a port or a last dot. */
export function nameIn(host: string): string {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, '') : '';
}

/** Whether the page of an origin, such as `http://localhost:3000`, comes from this machine. */
const isLoopbackOrigin = (origin: string): boolean =>
  WEB_ORIGIN.test(origin) && LOOPBACK_HOST.test(origin.replace(WEB_ORIGIN, ''));
