import { describe, expect, it } from '@jest/globals';
import type { PollingEvent } from '../../../src/polling/events.js';
import { lineOf, type Samples } from './line-of.js';

const samples: Samples<PollingEvent> = {
  'poll.connected': [
    { event: 'poll.connected', id: 123, username: 'demo_bot' },
    'info',
    'Connected to Telegram as @demo_bot (123)',
  ],
  'poll.backlog': [{ event: 'poll.backlog', pending: 1 }, 'info', '1 update waiting at Telegram'],
  'poll.webhook-deleted': [
    { event: 'poll.webhook-deleted', host: 'example.org' },
    'warn',
    'Removed the webhook at example.org: it gets no more updates',
  ],
  'poll.pending-dropped': [
    { event: 'poll.pending-dropped', count: 12 },
    'warn',
    'Dropped 12 updates waiting at Telegram',
  ],
  'poll.started': [{ event: 'poll.started' }, 'info', 'Polling'],
  'poll.answered': [
    { event: 'poll.answered', count: 0, durationMs: 50_000 },
    'debug',
    '0 updates after 50 s',
  ],
  'poll.failed': [
    {
      event: 'poll.failed',
      class: 'unreachable',
      detail: 'connection refused',
      retryInMs: 1_234,
      attempt: 1,
    },
    'warn',
    'Telegram unreachable (connection refused); next try in 1.2 s',
  ],
  'poll.rate-limited': [
    { event: 'poll.rate-limited', retryAfterSeconds: 60 },
    'warn',
    'Telegram asks to wait; next try in 1 min',
  ],
  'poll.conflict': [
    { event: 'poll.conflict', by: 'poller', detail: '409 Conflict', patienceLeftMs: 120_000 },
    'warn',
    'Another program polls with the same token (409 Conflict); continuing for 2 min',
  ],
  'poll.token-doubted': [
    { event: 'poll.token-doubted', detail: '401 Unauthorized' },
    'error',
    'Telegram refuses a token that was valid (401 Unauthorized); asking again with getMe',
  ],
  'poll.rejected': [
    {
      event: 'poll.rejected',
      detail: '400 Bad Request',
      retryInMs: 500,
      patienceLeftMs: 100_000,
      attempt: 3,
    },
    'error',
    'Telegram rejects the poll (400 Bad Request); next try in 500 ms, giving up in 1 min 40 s',
  ],
  'poll.recovered': [
    { event: 'poll.recovered', gapMs: 12_300, failures: 3 },
    'info',
    'Telegram answers again after 12.3 s and 3 failures',
  ],
  'poll.confirmed': [{ event: 'poll.confirmed', offset: 8 }, 'info', 'Confirmed all updates below 8'],
  'poll.confirm-failed': [
    { event: 'poll.confirm-failed', offset: 8, detail: 'timeout' },
    'warn',
    'Could not confirm the updates below 8 (timeout); Telegram will send those since the last poll again',
  ],
  'poll.stopped': [
    { event: 'poll.stopped', fetched: 120, confirmedUpTo: 7 },
    'info',
    'Polling ended: 120 updates fetched, confirmed up to 7',
  ],
};

describe('an event of polling', () => {
  it.each(Object.values(samples))('$event has its line', async (event, level, msg) => {
    expect(await lineOf(event)).toMatchObject({ level, event: event.event, msg });
  });

  it('says who refuses, who takes the updates, and nothing of what was not confirmed', async () => {
    const message = async (event: PollingEvent) => (await lineOf(event))?.['msg'];
    const failed = {
      event: 'poll.failed',
      detail: '401 Unauthorized',
      retryInMs: 1_000,
      attempt: 1,
    } as const;
    expect(await message({ ...failed, class: 'token-refused' })).toBe(
      'getMe refuses the token too (401 Unauthorized); next try in 1 s',
    );
    const conflict = { event: 'poll.conflict', detail: '409', patienceLeftMs: 1_000 } as const;
    expect(await message({ ...conflict, by: 'webhook' })).toBe(
      'A webhook takes the updates (409); continuing for 1 s',
    );
    expect(await message({ event: 'poll.stopped', fetched: 0, confirmedUpTo: undefined })).toBe(
      'Polling ended: 0 updates fetched',
    );
  });
});
