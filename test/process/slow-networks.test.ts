/** Networks that work, but take their time. The tests mostly wait, so they wait side by side. */
import { describe, expect, it, jest } from '@jest/globals';
import { type Daemon, fixture, spawnDaemon } from '../support/daemon.js';
import {
  allAnswered,
  countsOf,
  mishaps,
  noMishaps,
  openSandbox,
  runProgram,
  type TestBed,
} from '../support/delivery.js';
import { API_NAME, NarrowLine, SlowNetwork, whyNoSlowNetwork } from '../support/slow-network.js';

jest.setTimeout(90_000);

const PATIENCE_MS = 60_000;
const program = fixture('bots', 'answers-shortly.js');

/** A line of 8 kB/s, which the bodies of 100 messages of 1 kB keep busy for 15 s. */
const LINE_BYTES_PER_SECOND = 8_000;
const WAITING = { text: 'x'.repeat(800), count: 100 };

/** Long enough for waits between two tries that would keep growing to have become long. */
const OUTAGE_MS = 16_000;

/** A bot in a network of its own. */
const runIn = ({ apiRoot, entering }: SlowNetwork, sandbox: TestBed): Daemon =>
  runProgram(sandbox, program, { env: { TELEGRAM_API_ROOT: apiRoot }, entering });

/** How long it takes until all that waits is answered over a narrow line, by a bot that this starts. */
async function answeredMs(start: (sandbox: TestBed, apiRoot: string) => AsyncDisposable): Promise<number> {
  await using sandbox = await openSandbox();
  sandbox.say(WAITING);
  await using line = await NarrowLine.open(sandbox.port, LINE_BYTES_PER_SECOND);
  const from = performance.now();
  await using _bot = start(sandbox, line.apiRoot);
  await allAnswered(sandbox, PATIENCE_MS);
  expect(mishaps(sandbox)).toEqual(noMishaps);
  return performance.now() - from;
}

const noSlowNetwork = whyNoSlowNetwork();
const skipped = noSlowNetwork === undefined ? '' : ` (skipped: ${noSlowNetwork})`;
const itInNetwork = noSlowNetwork === undefined ? it.concurrent : it.skip;

describe('a network that takes its time', () => {
  it.concurrent('of 8 kB/s brings 100 waiting messages of 1 kB in 1.5 times what plain Telegraf needs, at most', async () => {
    const [plainMs, ms] = await Promise.all([
      answeredMs(({ token }, apiRoot) =>
        spawnDaemon({ file: program, args: [], env: { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot } }),
      ),
      answeredMs((sandbox, apiRoot) => runProgram(sandbox, program, { env: { TELEGRAM_API_ROOT: apiRoot } })),
    ]);
    // A body that takes longer than an answer may keep silent.
    expect(ms).toBeGreaterThan(10_000);
    expect(ms / plainMs).toBeLessThan(1.5);
  });

  it.concurrent('is used again within 6 s after an outage', async () => {
    await using sandbox = await openSandbox();
    const bots = [1, 2, 3].map((n) => sandbox.bot(`${n}:a-token-of-the-network-tests`));
    const allPoll = () => bots.every((bot) => bot.state().waitingPolls === 1);
    const isBack = sandbox.waitFor(allPoll, PATIENCE_MS).then(() => {
      sandbox.addFault({ kind: 'refuse', forMs: OUTAGE_MS });
      return performance.now() + OUTAGE_MS;
    });
    const deafMs = await Promise.all(
      bots.map(async (bot) => {
        await using daemon = runProgram(sandbox, program, { bot });
        const backAt = await isBack;
        await daemon.waitFor('poll.recovered', PATIENCE_MS);
        return performance.now() - backAt;
      }),
    );
    expect(Math.max(...deafMs)).toBeLessThan(6_000);
  });

  it.concurrent('brings a batch of 100 updates of 100 kB each', async () => {
    await using sandbox = await openSandbox();
    sandbox.say({ text: 'x'.repeat(100_000), count: 100 });
    await using daemon = runProgram(sandbox, program);
    await allAnswered(sandbox, PATIENCE_MS);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(daemon.events()).not.toContain('poll.failed');
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 100, handled: 100 });
  });

  itInNetwork(`whose name server takes 5 s a look-up reaches the host${skipped}`, async () => {
    await using sandbox = await openSandbox({ hostNames: [API_NAME] });
    await using network = await SlowNetwork.open(sandbox.port, { lookUpMs: 5_000 });
    sandbox.say({ text: 'x' });
    await using daemon = runIn(network, sandbox);
    await allAnswered(sandbox, PATIENCE_MS);
    await daemon.stop();
    // A look-up may be under way, and then older versions of Node end the process by a signal.
    expect(daemon.receipt).toMatchObject({ outcome: 'clean', exitCode: 0 });
    expect(daemon.events()).not.toContain('poll.failed');
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  itInNetwork(
    `with a round trip of 300 ms lets polls and handlers reach a host of two addresses${skipped}`,
    async () => {
      await using sandbox = await openSandbox({ hostNames: [API_NAME] });
      await using network = await SlowNetwork.open(sandbox.port, { delayMs: 150 });
      sandbox.say({ text: 'x' });
      await using daemon = runIn(network, sandbox);
      expect(await daemon.waitFor('poll.failed')).toMatchObject({
        detail: expect.stringMatching(/connect ETIMEDOUT 10\.9\.7\.1:8081.*; each address had 250 ms/),
      });
      await allAnswered(sandbox, PATIENCE_MS);
      expect(await daemon.stop()).toMatchObject({ code: 0 });
      expect(daemon.events()).not.toContain('handler.put-back');
      expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 1, handled: 1 });
    },
  );
});
