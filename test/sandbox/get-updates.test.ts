import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../../src/sandbox/api-response.js';
import { ConflictDescription, GetUpdates, type PollRequest } from '../../src/sandbox/get-updates.js';
import { UpdateQueue } from '../../src/sandbox/update-queue.js';
import { FakeClock } from '../support/fake-clock.js';

const DAY_MS = 86_400_000;

interface Poll {
  /** When it was answered, and with what ids or error. Empty before. */
  readonly answers: { at: number; ids?: number[]; error?: string }[];
  open: boolean;
}

function server({ nextId = 100 } = {}) {
  const clock = new FakeClock();
  const queue = new UpdateQueue({ clock, nextId });
  const getUpdates = new GetUpdates({ clock, queue });
  const add = (count = 1) => {
    for (let number = 0; number < count; number++) queue.push({ message: {} }, DAY_MS);
    getUpdates.wake();
  };
  const poll = (request: Partial<PollRequest> = {}): Poll => {
    const poll: Poll = { answers: [], open: true };
    getUpdates.poll(
      { offset: 0, limit: 100, timeoutSeconds: 50, ...request },
      {
        get open() {
          return poll.open;
        },
        send: ({ body }) => {
          const { result, description } = JSON.parse(body);
          poll.answers.push(
            result
              ? { at: clock.now(), ids: result.map((update: { update_id: number }) => update.update_id) }
              : { at: clock.now(), error: description },
          );
        },
      },
    );
    return poll;
  };
  return { clock, queue, getUpdates, add, poll };
}

describe('a long poll', () => {
  it('responds at once if updates are queued', () => {
    const { add, poll } = server();
    add(3);
    expect(poll().answers).toEqual([{ at: 0, ids: [100, 101, 102] }]);
  });

  it('responds at once without a timeout', () => {
    const { poll } = server();
    expect(poll({ offset: 5, timeoutSeconds: 0 }).answers).toEqual([{ at: 0, ids: [] }]);
  });

  it('responds without updates at the end of its timeout', async () => {
    const { clock, getUpdates, poll } = server();
    const one = poll({ timeoutSeconds: 50 });
    await clock.advance(49_999);
    expect(one.answers).toEqual([]);
    expect(getUpdates.waiting).toBe(true);
    await clock.advance(1);
    expect(one.answers).toEqual([{ at: 50_000, ids: [] }]);
    expect(getUpdates.waiting).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('wakes 1 ms after an update, with the updates of that time', async () => {
    const { clock, add, poll } = server();
    const one = poll();
    await clock.advance(10);
    add();
    await clock.advance(0.5);
    add();
    expect(one.answers).toEqual([]);
    await clock.advance(1);
    expect(one.answers).toEqual([{ at: 11.5, ids: [100, 101] }]);
  });

  it('wakes 2 ms after the first update at the latest', async () => {
    const { clock, add, poll } = server();
    const one = poll();
    for (let count = 0; count < 5; count++) {
      add();
      await clock.advance(0.6);
    }
    expect(one.answers).toEqual([{ at: 2, ids: [100, 101, 102, 103] }]);
  });

  it('wakes no later than its timeout', async () => {
    const { clock, add, poll } = server();
    const one = poll({ timeoutSeconds: 1 });
    await clock.advance(999.5);
    add();
    await clock.advance(0.5);
    expect(one.answers).toEqual([{ at: 1_000, ids: [100] }]);
  });

  it('resolves a negative offset when it begins', async () => {
    const { clock, add, poll } = server();
    const one = poll({ offset: -1 });
    add(3);
    await clock.advance(2);
    expect(one.answers).toEqual([{ at: 1, ids: [100, 101, 102] }]);
  });
});

describe('the rules against hot loops', () => {
  it('let the same offset within 3 s wait for 3 s', async () => {
    const { clock, poll } = server();
    poll({ offset: 7, timeoutSeconds: 0 });
    await clock.advance(2_999);
    const again = poll({ offset: 7, timeoutSeconds: 2 });
    await clock.advance(2_999);
    expect(again.answers).toEqual([]);
    await clock.advance(1);
    expect(again.answers).toEqual([{ at: 5_999, ids: [] }]);
  });

  it.each([
    ['3 s later', { afterMs: 3_000, offset: 7 }],
    ['with another offset', { afterMs: 0, offset: 8 }],
  ])('do not concern a poll %s', async (_, { afterMs, offset }) => {
    const { clock, poll } = server();
    poll({ offset: 7, timeoutSeconds: 0 });
    await clock.advance(afterMs);
    expect(poll({ offset, timeoutSeconds: 0 }).answers).toHaveLength(1);
  });

  it('compare with the previous poll only', () => {
    const { poll } = server();
    for (const offset of [7, 8, 7, 8])
      expect(poll({ offset, timeoutSeconds: 0 }).answers).toEqual([{ at: 0, ids: [] }]);
  });

  it('give only one update to the same offset within half a second', async () => {
    const { clock, add, poll } = server();
    add(5);
    expect(poll({ offset: 100 }).answers[0]?.ids).toHaveLength(5);
    await clock.advance(499);
    expect(poll({ offset: 100 }).answers[0]?.ids).toEqual([100]);
    await clock.advance(500);
    expect(poll({ offset: 100 }).answers[0]?.ids).toHaveLength(5);
  });

  it('delay a last confirmation with an offset that was sent before', async () => {
    const { clock, poll } = server();
    const waiting = poll({ offset: 100, timeoutSeconds: 50 });
    waiting.open = false;
    await clock.advance(1_000);
    const confirmation = poll({ offset: 100, timeoutSeconds: 0 });
    await clock.advance(3_000);
    expect(confirmation.answers).toEqual([{ at: 4_000, ids: [] }]);
  });
});

describe('a second waiting poll', () => {
  it('ends the first with a 409', () => {
    const { getUpdates, poll } = server();
    const [first, second] = [poll(), poll()];
    expect(first.answers).toEqual([{ at: 0, error: ConflictDescription.otherPoll }]);
    expect(second.answers).toEqual([]);
    expect(getUpdates.conflicts).toBe(1);
  });

  it('does not end the first if it gets a response at once', async () => {
    const { clock, add, poll } = server();
    const first = poll({ offset: 0 });
    const second = poll({ offset: 90, timeoutSeconds: 0 });
    expect(second.answers).toHaveLength(1);
    expect(first.answers).toEqual([]);
    add();
    await clock.advance(2);
    expect(first.answers[0]?.ids).toEqual([100]);
  });

  it('gets a 409 delayed by 3 s if another was sent less than 3 s ago', async () => {
    const { clock, poll } = server();
    const polls = [poll()];
    for (let second = 0; second < 4; second++) {
      await clock.advance(1_000);
      polls.push(poll({ offset: second }));
    }
    await clock.advance(10_000);
    expect(polls.map(({ answers }) => answers[0]?.at)).toEqual([1_000, 5_000, 6_000, 4_000, undefined]);
  });

  it('ends an abandoned poll, whose 409 delays the next one', async () => {
    const { clock, getUpdates, poll } = server();
    const gone = poll();
    gone.open = false;
    expect(getUpdates.waiting).toBe(false);
    const second = poll();
    expect(getUpdates.waiting).toBe(true);
    expect(getUpdates.conflicts).toBe(0);
    poll();
    expect(second.answers).toEqual([]);
    await clock.advance(3_000);
    expect(second.answers).toEqual([{ at: 3_000, error: ConflictDescription.otherPoll }]);
  });
});

describe('a waiting poll is ended by', () => {
  it('a webhook', () => {
    const { getUpdates, poll } = server();
    const one = poll();
    getUpdates.endWaiting(ConflictDescription.webhookSet);
    expect(one.answers).toEqual([{ at: 0, error: 'Conflict: terminated by setWebhook request' }]);
  });

  it('an error', () => {
    const { clock, getUpdates, poll } = server();
    const one = poll();
    getUpdates.failWaiting(new ApiError(400, 'Logged out'));
    expect(one.answers).toEqual([{ at: 0, error: 'Logged out' }]);
    expect(clock.pending).toBe(0);
  });
});

it('tells the confirmed offset', () => {
  const { add, getUpdates, poll } = server();
  add(5);
  poll({ offset: 0 });
  expect(getUpdates.confirmedOffset).toBeUndefined();
  poll({ offset: 103 });
  poll({ offset: 5_000 });
  poll({ offset: -1 });
  expect(getUpdates.confirmedOffset).toBe(103);
});
