/** A backlog far larger than what is in work at a time: what it adds to the memory of an idle program. */
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, byTurns, medians } from '../figures.js';
import { messages } from '../messages.js';
import { withPeer } from '../peer.js';
import { peerNames } from '../peers.js';

const CHATS = 1_000;
/** Slower than updates arrive, so that those that were fetched have to wait somewhere. */
const HANDLER_MS = 15;
const SAMPLE_MS = 100;
const IDLE_MS = 1_000;

const MB = 1024 * 1024;

export async function memory({ memoryUpdates }) {
  const found = await byTurns(peerNames, 1, (name) => grow(name, memoryUpdates));
  const title = memoryUpdates.toLocaleString('en');
  const row = (name, unit, pick, bounds = () => []) => {
    const figures = medians(found, pick);
    return { name, unit, figures, bounds: bounds(figures) };
  };
  return [
    row(`${title} of ${HANDLER_MS} ms, no file behind: idle`, 'MB', ({ anonymous }) => anonymous.idle),
    row('… and at the peak', 'MB', ({ anonymous }) => anonymous.peak),
    row('… heap: idle', 'MB', ({ heap }) => heap.idle),
    row('… and at the peak', 'MB', ({ heap }) => heap.peak),
    row(
      '… heap, the peak of the last third / first third',
      '×',
      ({ heap }) => heap.late / heap.early,
      ({ lastcall }) => [atMost('lastcall', lastcall, 1.25)],
    ),
    row('… updates', '/s', ({ perSecond }) => perSecond),
  ];
}

function grow(name, updates) {
  const env = { UPDATES: `${updates}`, HANDLER_MS: `${HANDLER_MS}`, HEAP_EVERY_MS: `${SAMPLE_MS}` };
  return withPeer(name, 'waits.mjs', { env }, async (peer) => {
    await sleep(IDLE_MS);
    const idle = { anonymous: peer.memory()?.anonymous, heap: peer.heaps.at(-1) };
    const heapsBefore = peer.heaps.length;
    const samples = [];
    const timer = setInterval(() => samples.push(peer.memory()?.anonymous), SAMPLE_MS);
    const from = performance.now();
    peer.sandbox.addUpdates(messages(updates, CHATS));
    await peer.allDone();
    clearInterval(timer);
    return {
      anonymous: course(idle.anonymous, samples),
      heap: course(
        idle.heap / MB,
        peer.heaps.slice(heapsBefore).map((bytes) => bytes / MB),
      ),
      perSecond: (updates / (performance.now() - from)) * 1_000,
    };
  });
}

/** How a figure went, from rest on: the peaks of all, of the first third and of the last. */
function course(idle, samples) {
  const third = Math.ceil(samples.length / 3);
  return {
    idle,
    peak: Math.max(...samples),
    early: Math.max(...samples.slice(0, third)),
    late: Math.max(...samples.slice(-third)),
  };
}
