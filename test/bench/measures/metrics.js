/** What metrics cost that are asked for once a second: a backlog with an answer each, and the start, with and without them. */
import { once } from 'node:events';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { atLeast, byTurns, median, medianOfRounds } from '../figures.js';
import { messages } from '../messages.js';
import { withPeer } from '../peer.js';

const CHATS = 200;
const ASK_EVERY_MS = 1_000;
const ways = ['without', 'with'];

/** Rounds of a few seconds vary by a tenth, the median of this many by a hundredth. */
const LEAST_ROUNDS = 15;
const MOST_WARM_UP_MS = 60_000;

export async function metrics({ scrapedAnswers: answers, warmUpAnswers, rounds }) {
  const found = await byTurns(ways, Math.max(rounds, LEAST_ROUNDS), (way) =>
    work(way, answers, warmUpAnswers),
  );
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
    ...row('processor time meanwhile', 'ms', ({ cpuMs }) => cpuMs),
    ...row('start, to the first poll', 'ms', ({ startMs }) => startMs),
    ...row('memory after the work', 'MB', ({ memoryMb }) => memoryMb),
  ];
}

/**
 * What a bot does that has warmed up: the first requests make Node compile anew what its HTTP server and client share, once,
 * which takes some tenths of a second. So little of it is to be within what is measured that it does not count.
 */
async function work(way, answers, warmUpAnswers) {
  const updates = warmUpAnswers + answers;
  const port = await freePort();
  const env = { UPDATES: `${updates}`, ...(way === 'with' && { METRICS: `127.0.0.1:${port}` }) };
  const prepare = (sandbox) => sandbox.addUpdates(messages(updates, CHATS));
  return withPeer('lastcall', 'answers.mjs', { env, prepare }, async (peer) => {
    const { sandbox } = peer;
    let asked = 0;
    const ask = async () => {
      const [answer] = await once(get({ port, path: '/metrics', agent: false }), 'response');
      if ((await text(answer)).includes('lastcall_updates_total')) asked++;
    };
    const timer = way === 'with' ? setInterval(() => void ask().catch(() => {}), ASK_EVERY_MS) : undefined;
    const isWarm = () =>
      sandbox.callCount('sendMessage') >= warmUpAnswers && (timer === undefined || asked > 0);
    await sandbox.waitFor(isWarm, MOST_WARM_UP_MS);
    const [from, cpuFrom] = [performance.now(), peer.cpuMs()];
    const answeredBefore = sandbox.callCount('sendMessage');
    await peer.allDone();
    const perAnswer = answers / (updates - answeredBefore);
    clearInterval(timer);
    return {
      workMs: (performance.now() - from) * perAnswer,
      cpuMs: (peer.cpuMs() - cpuFrom) * perAnswer,
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
