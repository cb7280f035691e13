/** The hosts for which bots may ask a sandbox. */
import { isIP } from 'node:net';
import { nameIn, type OtherHosts } from '../request-origin.js';

/**
 * Bots may name the server by its address, because no page can make one stand for another, and by the given names. Those
 * who use the control API name the machine that they are on.
 */
export function hostsOfBots(names: readonly string[]): OtherHosts {
  const known = new Set(names.map(nameIn));
  return {
    includes: (host) => known.has(host) || isIP(host.replaceAll(/[[\]]/g, '')) !== 0,
    words: 'to addresses and the names that it was started with (lastcall sandbox --host-name)',
  };
}
