/** What is measured. Each measure yields rows: a name, a figure for each peer, and a bound for their ratio, if it has one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Peer, peerNames } from './peer.js';

const IDLE_MS = 2_000;
const CHATS = 200;

/** Runs `measure` for each peer in turn, the order reversed every other time; the medians of what it yields. */
async function medians(rounds, measure) {
  const figures = Object.fromEntries(peerNames.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? peerNames : peerNames.toReversed())
      figures[name].push(await measure(name));
  return (pick) => Object.fromEntries(peerNames.map((name) => [name, median(figures[name].map(pick))]));
}

function median(figures) {
  const sorted = figures.filter((figure) => figure !== undefined).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** A program that starts, idles for 2 s, and is stopped in the middle of a poll that is younger than 3 s. */
export async function life({ rounds }) {
  const of = await medians(rounds, async (name) => {
    const peer = await Peer.start(name, 'answers.mjs');
    try {
      await sleep(IDLE_MS);
      return { startMs: peer.startMs, ...peer.memory(), stopMs: await peer.stop() };
    } finally {
      await peer[Symbol.asyncDispose]();
    }
  });
  return [
    { name: 'start: spawn to the first poll', unit: 'ms', ...of(({ startMs }) => startMs), bound: 1.5 },
    { name: 'memory after 2 s of idling', unit: 'MB', ...of(({ resident }) => resident), bound: 1.3 },
    { name: '… without what files back', unit: 'MB', ...of(({ anonymous }) => anonymous), bound: 1.3 },
    { name: 'stop: SIGTERM in a young poll to exit', unit: 'ms', ...of(({ stopMs }) => stopMs) },
  ];
}

/** A backlog that waits when the program starts: from the first poll until all of it is handled and confirmed. */
export async function backlog({ updates }) {
  const rows = [];
  for (const [what, program] of [
    ['no-op handlers', 'does-nothing.mjs'],
    ['an answer each', 'answers.mjs'],
  ]) {
    const perSecond = await medians(1, async (name) => {
      const prepare = (sandbox) => sandbox.addUpdates(messages(updates));
      const peer = await Peer.start(name, program, { prepare });
      try {
        return (updates / (await timeToEmpty(peer.sandbox))) * 1_000;
      } finally {
        await peer[Symbol.asyncDispose]();
      }
    });
    const name = `${updates.toLocaleString('en')} waiting updates, ${what}`;
    rows.push({ name, unit: '/s', ...perSecond((figure) => figure) });
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

/** In milliseconds. */
async function timeToEmpty(sandbox) {
  const [first] = sandbox.calls({ method: 'getUpdates' });
  await sandbox.waitFor(() => sandbox.state().queued === 0, 300_000);
  return performance.now() - first.atMs;
}

/** One chat whose handler is slow, at the head of 300 updates of others: how long the last of those waits. */
export async function slowHandler({ slowMs }) {
  const chats = 30;
  const rest = 10;
  const of = await medians(1, async (name) => {
    const prepare = (sandbox) => {
      sandbox.say({ chat: 1_000, text: 'slow' });
      for (let round = 0; round < rest; round++)
        for (let chat = 1; chat <= chats; chat++) sandbox.say({ chat, text: `line ${round}` });
    };
    const peer = await Peer.start(name, 'slow-chat.mjs', { env: { SLOW_MS: `${slowMs}` }, prepare });
    try {
      const { sandbox } = peer;
      await sandbox.waitFor(() => sandbox.report().unanswered === 0, slowMs + 60_000);
      const [first] = sandbox.calls({ method: 'getUpdates' });
      const waits = sandbox
        .exchanges()
        .toSorted((a, b) => a.updateId - b.updateId)
        .slice(1)
        .map(({ answers: [answer] }) => answer.atMs - first.atMs);
      return { together: Math.max(...waits.slice(0, 99)), behind: Math.max(...waits) };
    } finally {
      await peer[Symbol.asyncDispose]();
    }
  });
  const beside = `beside a handler of ${slowMs / 1_000} s`;
  return [
    { name: `the 99 updates fetched ${beside}`, unit: 'ms', ...of(({ together }) => together) },
    { name: '… and 201 that wait behind them', unit: 'ms', ...of(({ behind }) => behind) },
  ];
}
