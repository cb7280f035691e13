import { describe, expect, it } from '@jest/globals';
import type { InboxEvent } from '../../../src/inbox/events.js';
import { type Seq, seq as seqOf, updateId } from '../../../src/inbox/ids.js';
import { DeadLetterPolicy } from '../../../src/inbox/journal/dead-letter-policy.js';
import { openStore } from '../../../src/inbox/store/open-store.js';
import { readDeadLetters, readLetterPayload } from '../../../src/inbox/store/read-dead-letters.js';
import { decodeDeadLetter } from '../../../src/inbox/store/record-codec.js';
import type { Store } from '../../../src/inbox/store/store.js';
import { historyWith } from '../../support/history.js';
import { newUpdates } from '../../support/new-updates.js';
import { MemoryDisk } from '../log/memory-disk.js';

const NOW = 1_700_000_000_000;

async function rig({ maxAttempts = 3 } = {}) {
  const disk = new MemoryDisk();
  const time = { ms: NOW };
  const now = () => time.ms;
  const store = await openStore({ disk, folder: '/inbox', bot: '1-a', survivesPowerCut: false, now });
  const events: InboxEvent[] = [];
  const policy = new DeadLetterPolicy<{ text: string }>({
    store,
    maxAttempts,
    keyOf: ({ text }) => `key of ${text}`,
    kindOf: ({ text }) => `kind of ${text}`,
    restore: (content) => ({ text: String(content) }),
    errorText: (error) => `an error: ${String(error)}`,
    now,
    emit: (event) => events.push(event),
  });
  return { disk, store, policy, events, time };
}

/** So many runs that a stop ended amid its handler. */
function cut(store: Store, seq: Seq, times: number): void {
  for (let time = 0; time < times; time++) {
    store.mark('begun', seq);
    store.mark('cut', seq);
  }
}

/** So many runs that died of it. */
function die(store: Store, seq: Seq, times: number): void {
  for (let time = 0; time < times; time++) {
    store.mark('begun', seq);
    store.ledger.endRun();
  }
}

describe('an update is watched', () => {
  it.each([
    { maxAttempts: 3, deaths: [0, 1], isSuspect: false },
    { maxAttempts: 3, deaths: [2, 3, 4], isSuspect: true },
    { maxAttempts: 2, deaths: [1, 2], isSuspect: true },
    { maxAttempts: 1, deaths: [0], isSuspect: false },
    { maxAttempts: 0, deaths: [0, 1, 5], isSuspect: false },
  ])(
    'where MAX_ATTEMPTS is $maxAttempts, after $deaths deaths: $isSuspect',
    async ({ maxAttempts, deaths, isSuspect }) => {
      const { policy } = await rig({ maxAttempts });
      for (const each of deaths)
        expect(policy.isSuspect(historyWith({ attempts: each, deaths: each }))).toBe(isSuspect);
    },
  );
});

describe('an update is given up', () => {
  it('once as many processes have died of it as are allowed, and no other with it', async () => {
    const { store, policy, events } = await rig();
    store.append(
      newUpdates([1, 2, 3].map((id) => ({ updateId: updateId(100 + id), content: `${id}` }))),
      undefined,
    );
    die(store, seqOf(1), 2);
    die(store, seqOf(2), 3);
    expect(policy.giveUpExhausted()).toBe(1);
    expect(store.ledger.batches().map(({ seqs }) => seqs)).toEqual([[1, 3]]);
    expect(store.deadLetters.list()).toEqual([
      {
        seq: 2,
        updateId: 102,
        key: 'key of 2',
        kind: 'kind of 2',
        why: 'died',
        attempts: 3,
        atMs: NOW,
        error: undefined,
      },
    ]);
    expect(events).toEqual([
      { event: 'inbox.dead', updateId: 102, kind: 'kind of 2', why: 'died', attempts: 3, deaths: 3, cuts: 0 },
    ]);
  });

  it('no earlier than it had come, also before a clock that shows 2000 is set right', async () => {
    const { store, policy, time } = await rig();
    store.append(newUpdates([{ updateId: updateId(101), content: '1' }]), undefined);
    die(store, seqOf(1), 3);
    time.ms = Date.UTC(2000, 0, 1);
    expect(policy.giveUpExhausted()).toBe(1);
    expect(store.deadLetters.list()).toMatchObject([{ atMs: NOW }]);
  });

  it.each([
    { deaths: 0, cuts: 3, why: 'cut' },
    { deaths: 1, cuts: 2, why: 'cut' },
    { deaths: 2, cuts: 1, why: 'died' },
  ])('after $deaths deaths and $cuts cuts: $why', async ({ deaths, cuts, why }) => {
    const { store, policy, events } = await rig();
    store.append(newUpdates([{ updateId: updateId(101), content: '1' }]), undefined);
    cut(store, seqOf(1), cuts);
    die(store, seqOf(1), deaths);
    expect(policy.giveUpExhausted()).toBe(1);
    expect(events).toMatchObject([{ event: 'inbox.dead', why, attempts: 3, deaths, cuts }]);
  });

  it('not for deaths and cuts before it was put back', async () => {
    const { store, policy } = await rig();
    store.append(newUpdates([{ updateId: updateId(101), content: '1' }]), undefined);
    cut(store, seqOf(1), 2);
    store.mark('begun', seqOf(1));
    store.putBack({ seq: seqOf(1), notBeforeMs: 0, isRetry: false });
    die(store, seqOf(1), 2);
    expect(policy.giveUpExhausted()).toBe(0);
    cut(store, seqOf(1), 1);
    expect(policy.giveUpExhausted()).toBe(1);
  });

  it('never where that is what was asked for', async () => {
    const { store, policy } = await rig({ maxAttempts: 0 });
    store.append(newUpdates([{ updateId: updateId(101), content: '1' }]), undefined);
    die(store, seqOf(1), 50);
    expect(policy.giveUpExhausted()).toBe(0);
    expect(store.ledger.size).toBe(1);
  });
});

describe('an update whose handler failed', () => {
  it('is kept as it was written, with its error in words', async () => {
    const { disk, store, policy } = await rig();
    store.append(newUpdates([{ updateId: updateId(101), content: '1' }]), undefined);
    store.mark('begun', seqOf(1));
    policy.giveUp(seqOf(1), 'failed', 'no luck');
    policy.giveUp(seqOf(99), 'failed', 'not there');
    expect(store.deadLetters.list()).toMatchObject([{ seq: 1, attempts: 1 }]);
    expect(store.ledger.size).toBe(0);
    const { index, scan } = readDeadLetters(disk, '/inbox');
    const [found] = index;
    const payload = found && readLetterPayload(disk, '/inbox', scan.segments, found);
    expect(payload && decodeDeadLetter(payload)).toMatchObject({
      letter: { error: 'an error: no luck' },
      content: Buffer.from('"1"'),
    });
  });
});
