/** A backlog that waits when the program starts: from the first poll until all of it is handled and confirmed. */
import { fsyncMs } from '../disk.js';
import { atLeast, atMost, byTurns, least, median, medians, most } from '../figures.js';
import { BATCH, messages } from '../messages.js';
import { withPeer } from '../peer.js';
import { otherNames, peerNames } from '../peers.js';

const CHATS = 200;

export async function backlog({ updates, rounds }) {
  return [await unanswered(updates, rounds), await answered(updates, rounds)];
}

async function unanswered(updates, rounds) {
  const fsyncs = [];
  const found = await byTurns(peerNames, rounds, (name) => {
    fsyncs.push(fsyncMs());
    return workMs(name, 'does-nothing.mjs', updates);
  });
  const batchMs = medians(found, (ms) => (ms / updates) * BATCH);
  const fastest = least(batchMs, otherNames);
  const fsync = median(fsyncs);
  return {
    ...rowOf(`${updates.toLocaleString('en')} waiting, no-op handlers`, medians(found), updates),
    bounds: [
      atMost(
        'lastcall, a batch',
        batchMs.lastcall,
        fastest + fsync,
        `ms, the fastest's ${fastest.toFixed(2)} and one fsync`,
      ),
      atLeast('durable:process / fastest', fastest / batchMs['durable:process'], 0.8),
    ],
  };
}

async function answered(updates, rounds) {
  const found = await byTurns(peerNames, rounds, (name) => workMs(name, 'answers.mjs', updates));
  const row = rowOf(`${updates.toLocaleString('en')} waiting, an answer each`, medians(found), updates);
  const ratio = row.figures.lastcall / most(row.figures, otherNames);
  return { ...row, bounds: [atLeast('lastcall / fastest', ratio, 1)] };
}

function workMs(name, bot, updates) {
  const prepare = (sandbox) => sandbox.addUpdates(messages(updates, CHATS));
  return withPeer(name, bot, { env: { UPDATES: `${updates}` }, prepare }, async (peer) => {
    await peer.allDone();
    return performance.now() - peer.firstPollAt;
  });
}

const rowOf = (name, ms, updates) => ({
  name,
  unit: '/s',
  figures: Object.fromEntries(Object.entries(ms).map(([peer, taken]) => [peer, (updates / taken) * 1_000])),
});
