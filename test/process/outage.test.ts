/** Telegram out of reach amid a backlog: handlers wait, and in the end every update is answered, once, in order per chat. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import type { FaultRule, RequestFault } from '../../src/sandbox/fault-rule.js';
import { CutNetwork, whyNoBlackHole } from '../support/black-hole.js';
import type { Daemon } from '../support/daemon.js';
import {
  allAnswered,
  answers,
  countsOf,
  type Mishaps,
  mishaps,
  noMishaps,
  openSandbox,
  runBot,
  type TestBed,
} from '../support/delivery.js';

jest.setTimeout(120_000);

const UPDATES = 1_000;
const CHATS = 50;
const OUTAGE_MS = 8_000;
const PATIENCE_MS = 60_000;

/** Polls are long, as in production: whoever fails first has to notice the outage. */
const env = { HANDLER_MS: '300' };

const faults = {
  'connections are reset': { kind: 'reset' },
  'connections are refused': { kind: 'refuse' },
  'a proxy says 502': { kind: 'html', status: 502 },
  'Telegram says 502': { kind: 'error', status: 502, description: 'Bad Gateway' },
} as const satisfies Record<string, FaultRule>;

function sayAll(sandbox: TestBed): void {
  for (let n = 0; n < UPDATES; n++) sandbox.say({ chat: 1 + (n % CHATS), text: `message${n}` });
}

/** An answer that was sent less than this before the cut may have been on its way. */
const LEAVING_MS = 50;

/** Cuts Telegram off amid the backlog. Returns how many updates may be answered twice: their answers were on their way. */
async function cutOff(sandbox: TestBed, fault: RequestFault | { readonly kind: 'refuse' }): Promise<number> {
  await answers(sandbox, 200, PATIENCE_MS);
  const sentAt = sandbox.calls({ method: 'sendMessage' }).map(({ atMs }) => atMs);
  sandbox.addFault({ ...fault, forMs: OUTAGE_MS });
  return sentAt.filter((atMs) => atMs > Math.max(...sentAt) - LEAVING_MS).length;
}

/** What became of the updates, less the answers that were leaving when the cut came. */
function mishapsBeside(sandbox: TestBed, leaving: number): Mishaps {
  const { twice, ...rest } = mishaps(sandbox);
  return { ...rest, twice: Math.max(0, twice - leaving) };
}

/** Nothing was given up, whatever the handlers failed with. */
function expectNothingDead(...daemons: Daemon[]): void {
  for (const daemon of daemons)
    for (const event of ['handler.failed', 'handler.timed-out', 'inbox.dead'])
      expect(daemon.events()).not.toContain(event);
}

describe(`1,000 updates of 50 chats wait, and for 8 s ${Object.keys(faults).join(', or ')}`, () => {
  it.each(['journal', 'memory'])('all are answered once, in order, by one run: INBOX=%s', async (inbox) => {
    const ends = Object.entries(faults).map(async ([name, fault]) => {
      await using sandbox = await openSandbox();
      sayAll(sandbox);
      await using daemon = runBot(sandbox, 'uneven', { env: { ...env, INBOX: inbox } });
      const leaving = await cutOff(sandbox, fault);
      await allAnswered(sandbox, PATIENCE_MS);
      expect(await daemon.stop()).toMatchObject({ code: 0 });
      expectNothingDead(daemon);
      expect(await daemon.waitFor('dispatch.held')).toMatchObject({ level: 'warn' });
      expect(await daemon.waitFor('dispatch.resumed')).toMatchObject({ heldMs: expect.any(Number) });
      const { handled, failed, left } = countsOf(daemon.receipt);
      return [name, { ...mishapsBeside(sandbox, leaving), handled, failed, left }] as const;
    });
    const well = { ...noMishaps, handled: UPDATES, failed: 0, left: 0 };
    expect(Object.fromEntries(await Promise.all(ends))).toEqual(
      Object.fromEntries(Object.keys(faults).map((name) => [name, well])),
    );
  });

  it.each([
    ['SIGTERM', { code: 0 }],
    ['SIGKILL', { signal: 'SIGKILL' }],
  ] as const)('and so they are with a %s and a restart amid the outage', async (signal, end) => {
    const ends = Object.entries(faults).map(async ([name, fault]) => {
      await using sandbox = await openSandbox();
      sayAll(sandbox);
      await using first = runBot(sandbox, 'uneven', { env });
      const leaving = await cutOff(sandbox, fault);
      await first.waitFor('dispatch.held');
      expect(await first.stop(signal)).toMatchObject(end);
      await using second = runBot(sandbox, 'uneven', { env });
      await allAnswered(sandbox, PATIENCE_MS);
      expect(await second.stop()).toMatchObject({ code: 0 });
      expectNothingDead(first, second);
      return [name, mishapsBeside(sandbox, leaving)] as const;
    });
    expect(Object.fromEntries(await Promise.all(ends))).toEqual(
      Object.fromEntries(Object.keys(faults).map((name) => [name, noMishaps])),
    );
  });
});

describe('1,000 updates of 50 chats wait, and for 8 s Telegram asks each call to wait for 2 s', () => {
  it('all are answered once, in order, and nothing is held', async () => {
    await using sandbox = await openSandbox();
    sayAll(sandbox);
    await using daemon = runBot(sandbox, 'uneven', { env });
    await cutOff(sandbox, { kind: 'too-many-requests', retryAfterSeconds: 2 });
    await allAnswered(sandbox, PATIENCE_MS);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expectNothingDead(daemon);
    expect(daemon.events()).not.toContain('dispatch.held');
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(countsOf(daemon.receipt)).toMatchObject({ handled: UPDATES, failed: 0, left: 0 });
  });
});

const noBlackHole = whyNoBlackHole();
const skipped = noBlackHole === undefined ? '' : ` (skipped: ${noBlackHole})`;
(noBlackHole === undefined ? describe : describe.skip)(
  `1,000 updates of 50 chats wait, and for 8 s every packet is dropped${skipped}`,
  () => {
    it('all are answered once, in order', async () => {
      await using sandbox = await openSandbox();
      await using network = await CutNetwork.open(sandbox.port);
      sayAll(sandbox);
      await using daemon = runBot(sandbox, 'uneven', {
        env: { ...env, TELEGRAM_API_ROOT: network.apiRoot },
        entering: network.entering,
      });
      await answers(sandbox, 200, PATIENCE_MS);
      network.cut();
      const before = sandbox.callCount('sendMessage');
      await sleep(OUTAGE_MS);
      // What was on its way when the cut came still arrives.
      expect(sandbox.callCount('sendMessage') - before).toBeLessThanOrEqual(CHATS);
      network.mend();
      await allAnswered(sandbox, PATIENCE_MS);
      expect(await daemon.stop()).toMatchObject({ code: 0 });
      expectNothingDead(daemon);
      expect(mishaps(sandbox)).toEqual(noMishaps);
      expect(countsOf(daemon.receipt)).toMatchObject({ handled: UPDATES, failed: 0, left: 0 });
    });
  },
);
