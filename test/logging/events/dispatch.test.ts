import { describe, expect, it } from '@jest/globals';
import type { DispatchEvent } from '../../../src/dispatch/events.js';
import { LastcallError } from '../../../src/errors.js';
import { orderKey, updateId } from '../../../src/inbox/ids.js';
import type { Entry } from '../../../src/inbox/inbox.js';
import { lineOf, type Samples } from './line-of.js';

const item: Entry = {
  updateId: updateId(7),
  key: orderKey('chat:1'),
  kind: 'message',
  attempt: 1,
  putBacks: 0,
  retries: 0,
  acceptedAtMs: 0,
  update: {},
};
const handling = { item, durationMs: 12.345 };
const ours = new LastcallError('HANDLER_TIMED_OUT', 'update 7', 'it did not end within 90 s');

const samples: Samples<DispatchEvent<Entry>> = {
  'handler.failed': [
    { event: 'handler.failed', ...handling, error: new TypeError('x is not a function'), caught: false },
    'error',
    'The handler of update 7 (message) failed after 12 ms: x is not a function',
  ],
  'handler.timed-out': [
    { event: 'handler.timed-out', ...handling, durationMs: 90_000, error: ours },
    'warn',
    'The handler of update 7 (message) is overdue after 1 min 30 s',
  ],
  'handler.hung': [
    { event: 'handler.hung', ...handling, durationMs: 100_000, hung: 1 },
    'error',
    'The handler of update 7 (message) hangs after 1 min 40 s; continuing without it',
  ],
  'handler.ended-late': [
    { event: 'handler.ended-late', ...handling, durationMs: 200_000 },
    'debug',
    'The handler of update 7 (message) has ended after 3 min 20 s',
  ],
  'handler.put-back': [
    {
      event: 'handler.put-back',
      ...handling,
      error: new Error('ECONNRESET'),
      failure: 'unreachable',
      delayMs: 1_000,
    },
    'warn',
    'Put back update 7 (message), to be tried again in 1 s: ECONNRESET',
  ],
  'dispatch.held': [
    { event: 'dispatch.held', running: 3, waiting: 1 },
    'warn',
    'Telegram cannot be reached: starting no more handlers; 3 handlers running, 1 update waiting',
  ],
  'dispatch.resumed': [
    { event: 'dispatch.resumed', heldMs: 20_000, waiting: 4_000 },
    'info',
    'Starting handlers again after 20 s; 4000 updates waiting',
  ],
  'dispatch.jammed': [
    { event: 'dispatch.jammed', ...handling, durationMs: 20_000, waiting: 3, waitedMs: 12_000 },
    'warn',
    '3 updates with the key chat:1 wait, the first for 12 s, behind the handler of update 7 (message), which has run for 20 s',
  ],
  'dispatch.unjammed': [
    { event: 'dispatch.unjammed', key: 'chat:1', jammedMs: 61_000 },
    'info',
    'The updates with the key chat:1 no longer wait for long, after 1 min 1 s',
  ],
  'dispatch.exhausted': [
    { event: 'dispatch.exhausted', hung: 257, concurrency: 256 },
    'error',
    '257 handlers hang, more than may run at once (256)',
  ],
  'dispatch.fault': [
    { event: 'dispatch.fault', item, error: new Error('disk full') },
    'error',
    'Could not settle update 7 (message)',
  ],
  'drain.started': [
    { event: 'drain.started', running: 50, waiting: 1 },
    'info',
    'Draining: 50 handlers running, 1 update waiting',
  ],
  'drain.overdue': [
    { event: 'drain.overdue', aborted: [{ ...handling, durationMs: 60_000 }] },
    'warn',
    'Aborted 1 handler that did not end in time: update 7 (message) after 1 min',
  ],
};

describe('an event of dispatch', () => {
  it.each(Object.values(samples))('$event has its line', async (event, level, msg) => {
    expect(await lineOf(event)).toMatchObject({ level, event: event.event, msg });
  });

  it('says which update it is about, and its error is an error', async () => {
    const attempted = { ...handling, item: { ...item, attempt: 2 } };
    expect(
      await lineOf({ event: 'handler.failed', ...attempted, error: new Error('no'), caught: false }),
    ).toMatchObject({
      updateId: 7,
      kind: 'message',
      attempt: 2,
      key: 'chat:1',
      durationMs: 12.3,
      err: { type: 'Error', message: 'no' },
    });
    const overdue = await lineOf({ event: 'drain.overdue', aborted: [handling] });
    expect(overdue?.['aborted']).toEqual([{ updateId: 7, kind: 'message', durationMs: 12.3, key: 'chat:1' }]);
  });
});
