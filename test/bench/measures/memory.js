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

/**
 * What a collection leaves while it works may be so much more than at rest: the young generation, and what is at work.
 * The backlog itself would take several times as much.
 */
const MOST_LEFT_MB = 25;

/** Between two collections there is as much garbage as the machine is fast: that is held to a peer's, as it works too. */
const CONCURRENT_PEER = 'grammY+runner';
const MOST_OF_PEERS_PEAK = 1.5;

export async function memory({ memoryUpdates }) {
  const found = await byTurns(peerNames, 1, (name) => grow(name, memoryUpdates));
  const title = `${memoryUpdates.toLocaleString('en')} of ${HANDLER_MS} ms`;
  const rows = (what, kind) => {
    const [{ [kind]: course }] = found.lastcall;
    const [{ [kind]: peers }] = found[CONCURRENT_PEER];
    const bounds = [atMost('lastcall, the peak / grammY’s', course.peak / peers.peak, MOST_OF_PEERS_PEAK)];
    // What a process was given for its memory it mostly keeps.
    if (kind === 'heap')
      bounds.push(
        atMost(
          'lastcall, the least of the second half over rest',
          course.left - course.idle,
          MOST_LEFT_MB,
          'MB',
        ),
      );
    return [
      {
        name: `${title}, ${what}: idle`,
        unit: 'MB',
        figures: medians(found, (run) => run[kind].idle),
        bounds: [],
      },
      {
        name: '… at the peak',
        unit: 'MB',
        figures: medians(found, (run) => run[kind].peak),
        notes: [
          `lastcall, the peaks of ten parts of the time: ${course.tenths.map(Math.round).join(' ')} MB`,
        ],
        bounds,
      },
    ];
  };
  return [
    ...rows('heap', 'heap'),
    ...rows('no file behind', 'anonymous'),
    { name: '… handled', unit: '/s', figures: medians(found, ({ perSecond }) => perSecond), bounds: [] },
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

/** How a figure went, from rest on: its peak, over all and over each tenth of the time, and its least in the second half. */
function course(idle, samples) {
  const length = Math.ceil(samples.length / 10);
  const tenths = [];
  for (let from = 0; from < samples.length; from += length)
    tenths.push(Math.max(...samples.slice(from, from + length)));
  const left = Math.min(...samples.slice(samples.length / 2));
  return { idle, peak: Math.max(...samples), tenths, left };
}
