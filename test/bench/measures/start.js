/** From the spawn to the arrival of the first `getUpdates`. */
import { atMost, byTurns, medians } from '../figures.js';
import { withPeer } from '../peer.js';
import { programNames } from '../peers.js';

export async function start({ starts }) {
  const startMs = (name) => withPeer(name, 'answers.mjs', {}, (peer) => peer.startMs);
  const figures = medians(await byTurns(programNames, starts, startMs));
  const ratio = figures.lastcall / figures.telegraf;
  return [
    {
      name: 'start, to the first poll',
      unit: 'ms',
      figures,
      bounds: [atMost('lastcall / telegraf', ratio, 1.5)],
    },
  ];
}
