import { describe, expect, it } from '@jest/globals';
import { offsetsToConfirm } from '../../src/polling/final-confirm.js';
import { given, POLL_MS, polls, reason } from './poller-harness.js';
import { conflict, refused, unreachable, updates } from './scripted-bot-api.js';

describe('the offsets of the final confirm', () => {
  it.each([
    ['nothing accepted', undefined, undefined, undefined, []],
    ['accepted, and a poll from there was answered', 8, 8, 8, []],
    ['accepted from the answer to the newest poll', 8, 5, 5, [8]],
    ['accepted from the answer to the first poll', 8, undefined, undefined, [8]],
    ['accepted ids that lie lower than before', 3, 900, 900, [3]],
    ['a poll from there without an answer', 8, 5, 8, [7, 8]],
    ['a poll from there without an answer, the first with an offset', 8, undefined, 8, [7, 8]],
  ])('%s', (_, accepted, answered, requested, expected) => {
    expect(offsetsToConfirm(accepted, answered, requested)).toEqual(expected);
  });
});

describe('the final confirm', () => {
  it('waits for the batch in work, then confirms as far as accept says', async () => {
    let accepted: (offset: number | undefined) => void = () => {};
    const t = given({
      accept: () =>
        new Promise((resolve) => {
          accepted = resolve;
        }),
    });
    t.api.script('getUpdates', updates(5, 6, 7));
    const run = await t.start();
    await t.clock.advance(1_000);
    expect(await run.stop()).toBe('waits');
    await t.clock.advance(60_000);
    expect(t.api.offsets).toEqual([1]);
    accepted(7);

    expect(await run.end).toEqual({ fetched: 3, unconfirmed: 0, confirmedUpTo: 6 });
    expect(polls(t.api)[1]).toEqual({
      offset: 7,
      timeoutSeconds: 0,
      limit: 1,
      allowedUpdates: ['message', 'poll'],
    });
    expect(t.api.of('getUpdates')[1]?.timeoutMs).toBe(1_000);
    expect(t.named('poll.confirmed')).toEqual([{ event: 'poll.confirmed', offset: 7 }]);
  });

  it('confirms nothing when accept says that nothing may be', async () => {
    let accepted: (offset: number | undefined) => void = () => {};
    const t = given({
      accept: () =>
        new Promise((resolve) => {
          accepted = resolve;
        }),
    });
    t.api.script('getUpdates', updates(5));
    const run = await t.start();
    await run.stop();
    accepted(undefined);
    expect(await run.end).toEqual({ fetched: 1, unconfirmed: 0, confirmedUpTo: undefined });
    expect(t.api.offsets).toEqual([1]);
  });

  it('reports a rejection of the batch in work', async () => {
    let rejected: (error: Error) => void = () => {};
    const t = given({
      accept: () =>
        new Promise((_, reject) => {
          rejected = reject;
        }),
    });
    t.api.script('getUpdates', updates(5));
    const run = await t.start();
    await run.stop();
    rejected(new Error('disk full'));
    expect((await run.end).error).toMatchObject({ code: 'INTAKE_FAILED' });
  });

  it('is left out when a poll from there was answered, even if the next has just begun', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5));
    const run = await t.start();
    await t.clock.advance(POLL_MS);
    expect(t.api.offsets).toEqual([1, 6, 6]);
    expect(await run.stop()).toEqual({ fetched: 1, unconfirmed: 0, confirmedUpTo: 5 });
    expect(t.api.offsets).toHaveLength(3);
  });

  it.each([1, 249, 250, 40_000])(
    'goes one lower first when a poll from there has no answer after %d ms, so that Telegram does not hold it',
    async (afterMs) => {
      const t = given();
      t.api.script('getUpdates', updates(5));
      const run = await t.start();
      await t.clock.advance(afterMs);
      expect(await run.stop()).toEqual({ fetched: 1, unconfirmed: 0, confirmedUpTo: 5 });
      expect(t.api.offsets).toEqual([1, 6, 5, 6]);
      expect(t.named('poll.confirmed')).toEqual([{ event: 'poll.confirmed', offset: 6 }]);
    },
  );

  it('does not take a poll on a half-open connection for heard', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5), 'hang');
    t.api.always.set('getUpdates', 'hang');
    const run = await t.start();
    await t.clock.advance(40_000);
    expect(await run.stop()).toBe('waits');
    await t.clock.advance(1_000);
    expect(await run.end).toEqual({ fetched: 1, unconfirmed: 1, confirmedUpTo: undefined });
    expect(t.named('poll.confirm-failed')).toMatchObject([{ offset: 6 }]);
  });

  it('is sent when the poll from there failed, however long it took', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5), { afterMs: 5_000, answer: unreachable });
    const run = await t.start();
    await t.clock.advance(5_100);
    expect(await run.stop()).toMatchObject({ confirmedUpTo: 5 });
    expect(t.api.offsets).toEqual([1, 6, 5, 6]);
  });

  it('is tried again while its time lasts', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5), 'hang', unreachable, unreachable, updates(), updates());
    const run = await t.start();
    expect(await run.stop()).toBe('waits');
    expect(t.poller.latestEnd).toBe(1_000);
    await t.clock.advance(300);
    expect(await run.end).toMatchObject({ confirmedUpTo: 5 });
    expect(t.api.offsets).toEqual([1, 6, 5, 4, 3, 6]);
  });

  it('goes still lower when a try failed, which Telegram may have heard', async () => {
    const t = given();
    const cut = { kind: 'unreachable', why: 'cut', detail: 'aborted after 9 bytes of the body' } as const;
    t.api.script('getUpdates', updates(5), 'hang', updates(), cut);
    const run = await t.start();
    expect(await run.stop()).toBe('waits');
    await t.clock.advance(100);
    expect(await run.end).toMatchObject({ confirmedUpTo: 5 });
    expect(t.api.offsets).toEqual([1, 6, 5, 6, 4, 6]);
  });

  it('never asks for a negative offset, which would make Telegram forget', async () => {
    const t = given();
    t.api.script('getUpdates', updates(1), 'hang', unreachable, unreachable, unreachable);
    const run = await t.start();
    expect(await run.stop()).toBe('waits');
    await t.clock.advance(1_000);
    expect(await run.end).toMatchObject({ confirmedUpTo: 1 });
    expect(t.api.offsets).toEqual([1, 2, 1, 1, 1, 1, 2]);
  });

  it('is given up when its time is over, and says so', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5), 'hang');
    t.api.always.set('getUpdates', 'hang');
    const run = await t.start();
    await run.stop();
    await t.clock.advance(1_000);
    expect(await run.end).toEqual({ fetched: 1, unconfirmed: 1, confirmedUpTo: undefined });
    expect(t.named('poll.confirm-failed')).toMatchObject([{ offset: 6, detail: 'timeout: no answer' }]);
    expect(t.clock.pending).toBe(0);
  });

  it('is given up at once when Telegram refuses it', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5), 'hang', refused(429, 'Too Many Requests', 30));
    const run = await t.start();
    expect(await run.stop()).toEqual({ fetched: 1, unconfirmed: 1, confirmedUpTo: undefined });
    expect(t.named('poll.confirm-failed')).toHaveLength(1);
  });

  it('counts what comes again: of the last batch only what was done with', async () => {
    const t = given({ accept: (batch) => Promise.resolve(batch.length > 1 ? 7 : undefined) });
    t.api.script('getUpdates', updates(5, 6, 7), 'hang', refused(429, 'Too Many Requests', 30));
    const run = await t.start();
    expect(await run.stop()).toEqual({ fetched: 3, unconfirmed: 2, confirmedUpTo: undefined });
  });

  it('is sent when a failure ends the run, too', async () => {
    const t = given({ conflictPatienceMs: 0 });
    t.api.script('getUpdates', updates(5), conflict);
    const end = await (await t.start()).end;
    expect(end).toMatchObject({ confirmedUpTo: 5, error: { code: 'POLL_CONFLICT' } });
    expect(t.api.offsets).toEqual([1, 6, 5, 6]);
  });

  it('leaves to Telegram what was answered in the moment of the stop', async () => {
    const t = given();
    const controller = new AbortController();
    t.api.getUpdates = () => {
      controller.abort(reason);
      return Promise.resolve(updates(5));
    };
    expect(await t.poller.run(controller.signal)).toEqual({
      fetched: 0,
      unconfirmed: 0,
      confirmedUpTo: undefined,
    });
    expect(t.batches).toEqual([]);
  });
});
