import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../../src/errors.js';
import type { InboxEvent } from '../../../src/inbox/events.js';
import { lineOf, type Samples } from './line-of.js';

const samples: Samples<InboxEvent> = {
  'inbox.opened': [
    { event: 'inbox.opened', path: '/var/lib/lastcall/42/inbox', survives: 'power' },
    'info',
    'Inbox: /var/lib/lastcall/42/inbox, whose updates survive a power cut',
  ],
  'inbox.waiting': [
    { event: 'inbox.waiting', place: 'web-1', waitMs: 10_000 },
    'warn',
    'The inbox was not closed on web-1: waiting 10 s to see whether its owner is alive',
  ],
  'inbox.recovered': [
    { event: 'inbox.recovered', updates: 12, begun: 5, died: 3 },
    'info',
    '12 updates left by earlier runs: 3 begun by a process that died, 2 cut by a stop, 7 not begun',
  ],
  'inbox.repeated': [
    { event: 'inbox.repeated', updates: 1 },
    'info',
    'Telegram sent 1 update again; they are known already',
  ],
  'inbox.dead': [
    { event: 'inbox.dead', updateId: 7, kind: 'message', why: 'died', attempts: 5, deaths: 3, cuts: 0 },
    'error',
    'Gave up update 7 (message) after 5 attempts: 3 processes died while handling it',
  ],
  'inbox.dead-dropped': [
    { event: 'inbox.dead-dropped', letters: 7, limit: 'DEAD_LIMIT', why: { failed: 4, caught: 3 } },
    'warn',
    'Dropped 7 dead letters because of DEAD_LIMIT: 4 failed, 3 caught',
  ],
  'inbox.paused': [
    {
      event: 'inbox.paused',
      because: 'disk',
      waiting: 7,
      bytes: 1_000,
      freeBytes: 52_428_800,
    },
    'warn',
    'The inbox is paused: the disk has 50 MiB left',
  ],
  'inbox.resumed': [
    { event: 'inbox.resumed', waiting: 7, pausedMs: 1_500 },
    'info',
    'The inbox takes updates again after 1.5 s; 7 updates wait',
  ],
  'inbox.damaged': [
    { event: 'inbox.damaged', path: '/inbox/log.damaged', bytes: 12, saved: 1 },
    'error',
    'The inbox is damaged: 12 bytes cannot be read, updates may be lost; 1 update saved. The damaged files are kept at /inbox/log.damaged',
  ],
  'inbox.requested': [
    { event: 'inbox.requested', action: 'retry', updates: 2, ids: [7, 8], refused: 1 },
    'info',
    'Retrying 2 updates, as requested; 1 refused',
  ],
  'inbox.standing-by': [
    { event: 'inbox.standing-by', holder: 'web-1 (pid 7)' },
    'info',
    'Another process polls (web-1 (pid 7)); handling updates, and standing by to poll',
  ],
  'inbox.turn-began': [
    { event: 'inbox.turn-began', epoch: 2, waitedMs: 61_000 },
    'info',
    'This process polls from now on, after standing by for 1 min 1 s',
  ],
  'inbox.turn-lost': [
    { event: 'inbox.turn-lost', why: 'another process polls' },
    'warn',
    'This process does not poll any more: another process polls',
  ],
  'inbox.host-freed': [
    { event: 'inbox.host-freed', place: 'web-1 (pid 7)', running: 2 },
    'warn',
    'The process on web-1 (pid 7) is taken for dead; 2 updates of those it had were at work',
  ],
  'inbox.host-lost': [
    { event: 'inbox.host-lost', running: 1 },
    'warn',
    'This process was taken for dead; 1 update at work here may be handled again elsewhere',
  ],
  'inbox.unreachable': [
    { event: 'inbox.unreachable', detail: 'the connection has ended' },
    'warn',
    'The inbox is out of reach: the connection has ended',
  ],
  'inbox.reachable': [
    { event: 'inbox.reachable', outageMs: 2_000 },
    'info',
    'The inbox is there again after 2 s',
  ],
  'inbox.failed': [
    { event: 'inbox.failed', error: new LastcallError('INBOX_DISK', '/inbox', 'the disk is full') },
    'error',
    'the disk is full',
  ],
};

describe('an event of the inbox', () => {
  it.each(Object.values(samples))('$event has its line', async (event, level, msg) => {
    expect(await lineOf(event)).toMatchObject({ level, event: event.event, msg });
  });

  it.each([
    ['expired', 'error', 'it is too old to be answered'],
    ['caught', 'debug', 'its handler failed, and bot.catch took the error'],
    ['failed', 'debug', 'its handler failed'],
    ['timed-out', 'debug', 'its handler hung'],
  ] as const)('says of an update that is given up as %s why it is', async (why, level, said) => {
    const event = {
      event: 'inbox.dead',
      updateId: 7,
      kind: 'message',
      why,
      attempts: 1,
      deaths: 0,
      cuts: 0,
    } as const;
    expect(await lineOf(event)).toMatchObject({
      level,
      msg: `Gave up update 7 (message) after 1 attempt: ${said}`,
    });
  });

  it.each([
    [0, 3, 'cut', '3 stops in a row interrupted its handler, which may have waited for them'],
    [1, 2, 'cut', '1 process died while handling it, and 2 stops interrupted its handler'],
    [2, 1, 'died', '2 processes died while handling it, and 1 stop interrupted its handler'],
  ] as const)(
    'inbox.dead tells of %i deaths and %i cuts, and is an error',
    async (deaths, cuts, why, words) => {
      const event = {
        event: 'inbox.dead',
        updateId: 7,
        kind: 'message',
        attempts: 4,
        why,
        deaths,
        cuts,
      } as const;
      const line = { level: 'error', msg: `Gave up update 7 (message) after 4 attempts: ${words}` };
      expect(await lineOf(event)).toMatchObject(line);
    },
  );
});
