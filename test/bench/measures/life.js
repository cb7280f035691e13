/** Memory after 2 s of idling, and a stop in the middle of a poll that is younger than 3 s. */
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, median } from '../figures.js';
import { withPeer } from '../peer.js';
import { programNames } from '../peers.js';

const IDLE_MS = 2_000;

export async function life({ lives }) {
  const found = Object.fromEntries(programNames.map((name) => [name, []]));
  const live = (name) =>
    withPeer(name, 'answers.mjs', {}, async (peer) => {
      await sleep(IDLE_MS);
      found[name].push({ ...peer.memory(), stopMs: await peer.stop() });
    });
  // Side by side, as they do nothing but wait.
  for (let round = 0; round < lives; round++) await Promise.all(programNames.map(live));

  const row = (name, unit, pick, limit) => {
    const figures = Object.fromEntries(programNames.map((peer) => [peer, median(found[peer].map(pick))]));
    const ratio = figures.lastcall / figures.telegraf;
    return { name, unit, figures, bounds: limit ? [atMost('lastcall / telegraf', ratio, limit)] : [] };
  };
  return [
    row('memory after 2 s of idling', 'MB', ({ resident }) => resident, 1.3),
    row('… of it, what no file backs', 'MB', ({ anonymous }) => anonymous, 1.3),
    row('stop while idle, to the exit', 'ms', ({ stopMs }) => stopMs),
  ];
}
