/** What is measured. Each measure yields rows: a name, a figure for each peer, and a bound for their ratio, if it has one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Peer, peerNames } from './peer.js';

const IDLE_MS = 2_000;
const CHATS = 200;

/** How often a start is measured: single ones vary by a third, the median of so many by a twentieth. */
const STARTS = 15;
const LIVES = 5;

/** Far more than any measure takes. */
const PATIENCE_MS = 300_000;

/** From the spawn to the arrival of the first `getUpdates`, by turns; every other time the other one goes first. */
export async function start() {
  const startsMs = forEachPeer(() => []);
  for (let round = 0; round < STARTS; round++)
    for (const name of round % 2 === 0 ? peerNames : peerNames.toReversed())
      await withPeer(name, 'answers.mjs', {}, (peer) => startsMs[name].push(peer.startMs));
  return [{ name: 'start, to the first poll', unit: 'ms', ...medians(startsMs), bound: 1.5 }];
}

/** Memory after 2 s of idling, and a stop in the middle of a poll that is younger than 3 s. */
export async function life() {
  const lives = forEachPeer(() => []);
  const live = (name) =>
    withPeer(name, 'answers.mjs', {}, async (peer) => {
      await sleep(IDLE_MS);
      lives[name].push({ ...peer.memory(), stopMs: await peer.stop() });
    });
  for (let round = 0; round < LIVES; round++) await Promise.all(peerNames.map(live));
  const row = (name, unit, pick, bound) => ({
    name,
    unit,
    ...medians(forEachPeer((peer) => lives[peer].map(pick))),
    bound,
  });
  return [
    row('memory after 2 s of idling', 'MB', ({ resident }) => resident, 1.3),
    row('… of it, what no file backs', 'MB', ({ anonymous }) => anonymous, 1.3),
    row('stop while idle, to the exit', 'ms', ({ stopMs }) => stopMs),
  ];
}

/** A backlog that waits when the program starts: from the first poll until all of it is handled and confirmed. */
export async function backlog({ updates }) {
  const rows = [];
  for (const [handlers, program] of [
    ['no-op handlers', 'does-nothing.mjs'],
    ['an answer each', 'answers.mjs'],
  ]) {
    const prepare = (sandbox) => sandbox.addUpdates(messages(updates));
    const perSecond = {};
    for (const name of peerNames)
      await withPeer(name, program, { prepare }, async ({ sandbox, firstPollAt }) => {
        await sandbox.waitFor(() => sandbox.state().queued === 0, PATIENCE_MS);
        perSecond[name] = (updates / (performance.now() - firstPollAt)) * 1_000;
      });
    rows.push({ name: `${updates.toLocaleString('en')} waiting, ${handlers}`, unit: '/s', ...perSecond });
  }
  return rows;
}

function* messages(count) {
  for (let number = 1; number <= count; number++) {
    const chat = { id: (number % CHATS) + 1, type: 'private', first_name: 'Ada' };
    const from = { id: chat.id, is_bot: false, first_name: 'Ada' };
    yield { message: { message_id: number, date: 0, chat, from, text: `line ${number}` } };
  }
}

/** One chat whose handler is slow, at the head of 300 updates of others: how long the last of those waits. */
export async function slowHandler({ slowMs }) {
  const prepare = (sandbox) => {
    sandbox.say({ chat: 1_000, text: 'slow' });
    for (let line = 1; line <= 10; line++)
      for (let chat = 1; chat <= 30; chat++) sandbox.say({ chat, text: `line ${line}` });
  };
  const fetchedWithIt = {};
  const behind = {};
  for (const name of peerNames)
    await withPeer(
      name,
      'slow-chat.mjs',
      { env: { SLOW_MS: `${slowMs}` }, prepare },
      async ({ sandbox, firstPollAt }) => {
        await sandbox.waitFor(() => sandbox.report().unanswered === 0, PATIENCE_MS);
        const [, ...others] = sandbox.exchanges().toSorted((a, b) => a.updateId - b.updateId);
        const waitsMs = others.map(({ answers: [answer] }) => answer.atMs - firstPollAt);
        fetchedWithIt[name] = Math.max(...waitsMs.slice(0, 99));
        behind[name] = Math.max(...waitsMs.slice(99));
      },
    );
  return [
    { name: `99 beside a handler of ${slowMs / 1_000} s, all done`, unit: 'ms', ...fetchedWithIt },
    { name: '201 behind these, all done', unit: 'ms', ...behind },
  ];
}

async function withPeer(name, program, options, measure) {
  const peer = await Peer.start(name, program, options);
  try {
    await measure(peer);
  } finally {
    await peer.end();
  }
}

const forEachPeer = (make) => Object.fromEntries(peerNames.map((name) => [name, make(name)]));

const medians = (figures) => forEachPeer((name) => median(figures[name]));

function median(figures) {
  const sorted = figures.filter((figure) => figure !== undefined).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
