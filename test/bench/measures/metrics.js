/** What metrics cost that are asked for once a second: a backlog with an answer each, and the start, with and without them. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { atLeast, byTurns, median, medianOfRounds } from '../figures.js';
import { messages } from '../messages.js';
import { withPeer } from '../peer.js';

const CHATS = 200;
const ASK_EVERY_MS = 1_000;
const ways = ['without', 'with'];

/** Rounds of a few seconds vary by a tenth, the median of this many by a hundredth. */
const LEAST_ROUNDS = 9;

export async function metrics({ answers, rounds }) {
  const found = await byTurns(ways, Math.max(rounds, LEAST_ROUNDS), (way) => work(way, answers));
  const row = (name, unit, pick) =>
    ways.map((way) => ({
      name: `${name}, ${way} metrics`,
      unit,
      figures: { lastcall: median(found[way].map(pick)) },
      bounds: [],
    }));
  const share = medianOfRounds(found, (of) => of.without.workMs / of.with.workMs);
  const [without, scraped] = row(
    `${answers.toLocaleString('en')} waiting, an answer each`,
    '/s',
    ({ workMs }) => (answers / workMs) * 1_000,
  );
  return [
    without,
    { ...scraped, bounds: [atLeast('with metrics, asked for once a second / without', share, 0.97)] },
    ...row('processor time from the first poll on', 'ms', ({ cpuMs }) => cpuMs),
    ...row('start, to the first poll', 'ms', ({ startMs }) => startMs),
    ...row('memory after the work', 'MB', ({ memoryMb }) => memoryMb),
  ];
}

async function work(way, updates) {
  const port = await freePort();
  const env = { UPDATES: `${updates}`, ...(way === 'with' && { METRICS: `127.0.0.1:${port}` }) };
  const prepare = (sandbox) => sandbox.addUpdates(messages(updates, CHATS));
  return withPeer('lastcall', 'answers.mjs', { env, prepare }, async (peer) => {
    const cpuFrom = peer.cpuMs();
    let asked = 0;
    const ask = async () => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      if (text.includes('lastcall_updates_total')) asked++;
    };
    const timer = way === 'with' ? setInterval(() => void ask().catch(() => {}), ASK_EVERY_MS) : undefined;
    await peer.allDone();
    const workMs = performance.now() - peer.firstPollAt;
    clearInterval(timer);
    if (way === 'with' && workMs > 2 * ASK_EVERY_MS && asked === 0) throw new Error('nobody has answered');
    return {
      workMs,
      cpuMs: peer.cpuMs() - cpuFrom,
      startMs: peer.startMs,
      memoryMb: peer.memory()?.resident,
    };
  });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
