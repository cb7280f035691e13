/** A backlog that waits when the program starts: from the first poll until all of it is handled and confirmed. */
import { fsyncMs } from '../disk.js';
import { atLeast, atMost, byTurns, least, median, medianOfRounds, medians } from '../figures.js';
import { BATCH, messages } from '../messages.js';
import { withPeer } from '../peer.js';
import { otherNames, peerNames } from '../peers.js';

const CHATS = 200;

/** Speeds are compared within a round, as the machine's own speed drifts from one to the next. */
export async function backlog({ updates, answers, rounds }) {
  return [await unanswered(updates, rounds), await answered(answers, rounds)];
}

async function unanswered(updates, rounds) {
  const fsyncs = [];
  const found = await byTurns(peerNames, rounds, (name) => {
    fsyncs.push(fsyncMs());
    return workMs(name, 'does-nothing.mjs', updates);
  });
  const longerMs = medianOfRounds(found, (ms) => ((ms.lastcall - least(ms, otherNames)) / updates) * BATCH);
  const share = medianOfRounds(found, (ms) => least(ms, otherNames) / ms['durable:process']);
  return {
    ...rowOf(`${updates.toLocaleString('en')} waiting, no-op handlers`, found, updates),
    bounds: [
      atMost("lastcall, a batch's time over the fastest's", longerMs, median(fsyncs), 'ms, one fsync'),
      atLeast('durable:process / fastest', share, 0.8),
    ],
  };
}

async function answered(updates, rounds) {
  const found = await byTurns(peerNames, rounds, (name) => workMs(name, 'answers.mjs', updates));
  const share = medianOfRounds(found, (ms) => least(ms, otherNames) / ms.lastcall);
  return {
    ...rowOf(`${updates.toLocaleString('en')} waiting, an answer each`, found, updates),
    bounds: [atLeast('lastcall / fastest', share, 1)],
  };
}

function workMs(name, bot, updates) {
  const prepare = (sandbox) => sandbox.addUpdates(messages(updates, CHATS));
  return withPeer(name, bot, { env: { UPDATES: `${updates}` }, prepare }, async (peer) => {
    await peer.allDone();
    return performance.now() - peer.firstPollAt;
  });
}

const rowOf = (name, found, updates) => ({
  name,
  unit: '/s',
  figures: medians(found, (ms) => (updates / ms) * 1_000),
});
