/** Where several processes share a bot, one of them polls at a time: what a poller does at both ends of its turn. */
import { describe, expect, it } from '@jest/globals';
import type { PollingTurn } from '../../src/polling/polling-turn.js';
import { given } from './poller-harness.js';
import { conflict, updates } from './scripted-bot-api.js';

/** Turns of a process: each lasts until it is over, which the process may notice late. */
function someTurns({ ends = Promise.resolve() } = {}) {
  const begun: { isOver: boolean; readonly controller: AbortController }[] = [];
  const end = (turn: (typeof begun)[number]) => {
    turn.isOver = true;
    turn.controller.abort(new Error('another process polls'));
  };
  return {
    begun,
    /** The turn is over, and the process does not know yet. */
    endUnnoticed() {
      const turn = begun.at(-1);
      if (turn) turn.isOver = true;
    },
    endNoticed() {
      const turn = begun.at(-1);
      if (turn) end(turn);
    },
    async next(): Promise<PollingTurn> {
      const turn = { isOver: false, controller: new AbortController() };
      begun.push(turn);
      return {
        hasWaited: true,
        signal: turn.controller.signal,
        check: () => {
          if (turn.isOver) end(turn);
        },
        end: () => ends,
      };
    },
  };
}

describe('a conflict', () => {
  it('with the process that polls now counts against nobody', async () => {
    const turns = someTurns();
    const t = given({ nextTurn: turns.next });
    t.api.script('getUpdates', updates(), { afterMs: 20_000, answer: conflict });
    const run = await t.start();
    await t.clock.advance(10_000);
    turns.endUnnoticed();
    await t.clock.advance(10_000);

    expect(t.named('poll.conflict')).toEqual([]);
    expect(turns.begun).toHaveLength(2);
    await run.stop();
  });

  it('of an earlier turn takes nothing from the patience of the next', async () => {
    const turns = someTurns();
    const t = given({ nextTurn: turns.next });
    t.api.always.set('getUpdates', conflict);
    const run = await t.start();
    await t.clock.advance(100_000);
    turns.endNoticed();
    await t.clock.advance(100_000);

    expect(t.named('poll.conflict')).toMatchObject([
      { patienceLeftMs: 120_000 },
      { patienceLeftMs: 120_000 },
    ]);
    expect(t.named('poll.stopped')).toEqual([]);
    await run.stop();
  });
});

describe('a turn that is over', () => {
  it('is confirmed nothing in, since Telegram may have given more to the process that polls now', async () => {
    const turns = someTurns();
    const t = given({ nextTurn: turns.next });
    t.api.script('getUpdates', updates(7));
    const run = await t.start();
    turns.endNoticed();
    await t.clock.advance(0);

    expect(t.api.offsets).toEqual([1, 8, 1]);
    expect(t.named('poll.confirmed')).toEqual([]);
    await run.stop();
  });
});

describe('a stop', () => {
  it('waits no longer for the end of a turn than for the confirm', async () => {
    // The database does not answer.
    const turns = someTurns({ ends: new Promise(() => {}) });
    const t = given({ nextTurn: turns.next });
    t.api.script('getUpdates', updates());
    const run = await t.start();
    const stopped = run.stop();
    await t.clock.advance(1_000);
    await stopped;
    expect(t.named('poll.stopped')).toHaveLength(1);
  });
});
