import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../src/errors.js';
import type { KilledRun } from '../../src/host/events.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import { eventsMarkdown, eventTable, type LoggedEvent, logEvent } from '../../src/logging/events.js';
import { logInto } from './logging.js';
import { MemoryOutput } from './memory-output.js';

const item = { updateId: 7, key: 'chat:1', kind: 'message', attempt: 1 };
const handling = { item, key: 'chat:1', durationMs: 12.345 };
const hook = 'database';
const ours = new LastcallError('HOOK_TIMED_OUT', hook, 'it did not end within 100 ms');

const killed: KilledRun = {
  pid: 4711,
  phase: 'draining',
  hook: undefined,
  durationMs: 1_600,
  bound: 'exactly',
  machineRestarted: false,
  advice: 'raise kill_timeout to at least 12000',
};

/** One of each, with the level and the words it should have; the compiler sees to it that none is missing. */
const samples: Record<LoggedEvent['event'], readonly [LoggedEvent, string, string]> = {
  'lifecycle.starting': [{ event: 'lifecycle.starting' }, 'info', 'Starting'],
  'lifecycle.budget': [
    { event: 'lifecycle.budget', budgetMs: 90_000, drainMs: 60_000, hooksMs: 30_000 },
    'info',
    'A stop may take 1 min 30 s: the drain 1 min, the hooks behind it 30 s and what it leaves',
  ],
  'lifecycle.running': [
    { event: 'lifecycle.running', durationMs: 120 },
    'info',
    'Running, after a start of 120 ms',
  ],
  'lifecycle.stopping': [
    { event: 'lifecycle.stopping', reason: StopReason.signal('SIGTERM'), budgetMs: 90_000 },
    'info',
    'Stopping (SIGTERM), within 1 min 30 s',
  ],
  'lifecycle.stop-repeated': [
    { event: 'lifecycle.stop-repeated', reason: StopReason.request('bot.stop()') },
    'info',
    'Stop asked again (bot.stop() was called)',
  ],
  'lifecycle.hastened': [
    { event: 'lifecycle.hastened', limitMs: 1_000 },
    'warn',
    'Stopping in haste: running handlers are aborted, each hook gets 1 s',
  ],
  'lifecycle.stopped': [
    {
      event: 'lifecycle.stopped',
      reason: StopReason.signal('SIGTERM'),
      clean: true,
      exitCode: 0,
      phases: [],
      durationMs: 1,
      stopDurationMs: 1,
    },
    '',
    '',
  ],
  'hook.starting': [
    { event: 'hook.starting', hook, limitMs: 60_000 },
    'info',
    'database: starting, within 1 min',
  ],
  'hook.started': [{ event: 'hook.started', hook, durationMs: 0.2 }, 'info', 'database: started in <1 ms'],
  'hook.called-off': [
    { event: 'hook.called-off', hook, durationMs: 12 },
    'info',
    'database: start called off after 12 ms',
  ],
  'hook.stopping': [
    { event: 'hook.stopping', hook, limitMs: Number.POSITIVE_INFINITY },
    'info',
    'database: stopping',
  ],
  'hook.stopped': [{ event: 'hook.stopped', hook, durationMs: 12 }, 'info', 'database: stopped in 12 ms'],
  'hook.failed': [
    {
      event: 'hook.failed',
      hook,
      step: 'stop',
      durationMs: 12,
      error: new LastcallError('HOOK_FAILED', hook, 'no'),
    },
    'error',
    'database: stop failed after 12 ms: no',
  ],
  'hook.cut': [
    { event: 'hook.cut', hook, step: 'start', durationMs: 100, error: ours },
    'error',
    'database: start cut off after 100 ms',
  ],
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
    'Threw away 12 updates that waited at Telegram',
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
    'Another program polls with the same token (409 Conflict); going on for 2 min',
  ],
  'poll.token-doubted': [
    { event: 'poll.token-doubted', detail: '401 Unauthorized' },
    'error',
    'Telegram refuses the token that was good (401 Unauthorized); asking again with getMe',
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
    'Telegram answers again, after 12.3 s and 3 failures',
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
  'inbox.opened': [
    { event: 'inbox.opened', path: '/var/lib/lastcall/42/inbox', survives: 'power' },
    'info',
    'Inbox: /var/lib/lastcall/42/inbox; what it has survives a power cut',
  ],
  'inbox.waiting': [
    { event: 'inbox.waiting', place: 'web-1', waitMs: 10_000 },
    'warn',
    'The inbox was left without a word on web-1: waiting 10 s for a sign of life',
  ],
  'inbox.recovered': [
    { event: 'inbox.recovered', updates: 12, begun: 5, died: 3 },
    'info',
    '12 updates left by earlier runs: 3 begun by a process that died, 2 cut by a stop, 7 not begun',
  ],
  'inbox.repeated': [
    { event: 'inbox.repeated', updates: 1 },
    'info',
    'Telegram has sent 1 update again, known already',
  ],
  'inbox.dead': [
    { event: 'inbox.dead', updateId: 7, kind: 'message', why: 'died', attempts: 3 },
    'error',
    'Gave up update 7 (message), of which 3 processes have died',
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
    'The inbox takes no more: the disk has 50 MiB left',
  ],
  'inbox.resumed': [
    { event: 'inbox.resumed', waiting: 7, pausedMs: 1_500 },
    'info',
    'The inbox takes updates again, after 1.5 s; 7 updates wait',
  ],
  'inbox.damaged': [
    { event: 'inbox.damaged', path: '/inbox/log.damaged', bytes: 12, saved: 1 },
    'error',
    'The inbox is damaged: 12 bytes cannot be read, updates may be lost; 1 update saved. Set aside: /inbox/log.damaged',
  ],
  'inbox.requested': [
    { event: 'inbox.requested', action: 'retry', updates: [7, 8], refused: 1 },
    'info',
    'Retrying 2 updates, as asked for; 1 refused',
  ],
  'inbox.failed': [
    { event: 'inbox.failed', error: new LastcallError('INBOX_DISK', '/inbox', 'the disk is full') },
    'error',
    'the disk is full',
  ],
  'handler.failed': [
    { event: 'handler.failed', ...handling, error: new TypeError('x is not a function') },
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
    'The handler of update 7 (message) hangs, after 1 min 40 s; going on without it',
  ],
  'handler.ended-late': [
    { event: 'handler.ended-late', ...handling, durationMs: 200_000 },
    'debug',
    'The handler of update 7 (message) has ended, after 3 min 20 s',
  ],
  'dispatch.exhausted': [
    { event: 'dispatch.exhausted', hung: 257, concurrency: 256 },
    'error',
    '257 handlers hang, more than may be at work at once (256)',
  ],
  'dispatch.fault': [
    { event: 'dispatch.fault', item, key: 'chat:1', error: new Error('disk full') },
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
  'lock.waiting': [
    { event: 'lock.waiting', bot: 7, holder: 4711 },
    'info',
    'Standing by: process 4711 runs bot 7',
  ],
  'lock.acquired': [
    { event: 'lock.acquired', bot: 7, waitedMs: 61_000 },
    'info',
    'Taking over bot 7, after standing by for 1 min 1 s',
  ],
  'lock.released': [{ event: 'lock.released', bot: 7 }, 'debug', 'The lock of bot 7 is released'],
  'previous-run.killed': [
    { event: 'previous-run.killed', bot: 7, ...killed },
    'warn',
    'The previous run (process 4711) was killed 1.6 s into the drain: raise kill_timeout to at least 12000',
  ],
  'run-record.failed': [
    { event: 'run-record.failed', path: '/var/lib/bot/last-run.json', error: new Error('EACCES') },
    'debug',
    'No use can be made of /var/lib/bot/last-run.json',
  ],
  'config.warning': [{ event: 'config.warning', warning: 'odd' }, 'warn', 'odd'],
  'process.fault': [
    { event: 'process.fault', origin: 'uncaughtException', error: 'thrown text' },
    'error',
    'Uncaught exception: thrown text',
  ],
  'program.slow': [
    { event: 'program.slow', progress: 'it exports nothing' },
    'warn',
    'Still waiting for the bot module: it exports nothing',
  ],
  'program.left-open': [
    { event: 'program.left-open', kinds: ['a', 'b', 'c', 'd', 'e', 'f'] },
    'warn',
    'The bot program has left open: a, b, c, d, e and 1 more',
  ],
  'log.dropped': [
    { event: 'log.dropped', lines: 12 },
    'warn',
    '12 log lines dropped, because nobody read them',
  ],
};

async function lineOf(event: LoggedEvent, context?: object, level = 'debug') {
  const output = new MemoryOutput();
  const { log } = await logInto(output, { level });
  logEvent(log, event, context);
  return output.lines[0];
}

describe('an event', () => {
  it.each(Object.values(samples).filter(([{ event }]) => event !== 'lifecycle.stopped'))(
    '$event has its line',
    async (event, level, msg) => {
      expect(await lineOf(event)).toMatchObject({ level, event: event.event, msg });
    },
  );

  it('has the words for its other kinds', async () => {
    const other = async (event: LoggedEvent) => (await lineOf(event))?.['msg'];
    const failed = {
      event: 'poll.failed',
      detail: '401 Unauthorized',
      retryInMs: 1_000,
      attempt: 1,
    } as const;
    expect(await other({ ...failed, class: 'token-refused' })).toBe(
      'getMe refuses the token, too (401 Unauthorized); next try in 1 s',
    );
    expect(await other({ event: 'poll.conflict', by: 'webhook', detail: '409', patienceLeftMs: 1_000 })).toBe(
      'A webhook takes the updates (409); going on for 1 s',
    );
    expect(await other({ event: 'poll.stopped', fetched: 0, confirmedUpTo: undefined })).toBe(
      'Polling ended: 0 updates fetched',
    );
    expect(await other({ event: 'process.fault', origin: 'unhandledRejection', error: ours })).toBe(
      'Unhandled rejection: it did not end within 100 ms',
    );
  });

  it('names once the hook that failed, and what it threw', async () => {
    const error = new LastcallError('HOOK_FAILED', hook, 'the stop of "database" failed: gone', {
      cause: new Error('gone'),
    });
    const line = await lineOf({ event: 'hook.failed', hook, step: 'stop', durationMs: 12, error });
    expect(line?.['msg']).toBe('database: stop failed after 12 ms: gone');
  });

  it('leaves why the start failed to the line that told it', async () => {
    const reason = StopReason.startFailed(ours);
    const line = await lineOf({ event: 'lifecycle.stopping', reason, budgetMs: 90_000 });
    expect(line).toMatchObject({
      msg: 'Stopping (the start failed), within 1 min 30 s',
      reason: ours.message,
      err: { code: ours.code },
    });
  });

  it('is as loud as the reason for the stop', async () => {
    const levelFor = async (reason: StopReason) =>
      (await lineOf({ event: 'lifecycle.stopping', reason, budgetMs: 1 }))?.['level'];
    expect(await levelFor(StopReason.stopAfter(1))).toBe('info');
    expect(await levelFor(StopReason.aborted('why'))).toBe('info');
    expect(await levelFor(StopReason.fault(new Error('x')))).toBe('error');
    expect(await levelFor(StopReason.startFailed(ours))).toBe('error');
  });

  it('warns where the supervisor would cut a stop short, and says what to set', async () => {
    const cutShort = { killAfterMs: 1_600, neededMs: 95_000 };
    const budget = { event: 'lifecycle.budget', budgetMs: 1_200, drainMs: 600, hooksMs: 600 } as const;
    expect(await lineOf({ ...budget, cutShort })).toMatchObject({
      level: 'warn',
      ...budget,
      ...cutShort,
      msg: 'A stop may take only 1.2 s (the drain 600 ms, the hooks behind it 600 ms and what it leaves), because pm2 kills after 1.6 s: set kill_timeout to at least 95000, or STOP_TIMEOUT to at most 1200ms',
    });
    // Nor any setting that would be refused.
    const atOnce = { ...budget, budgetMs: 0.75, cutShort: { ...cutShort, killAfterMs: 1 } };
    expect(await lineOf(atOnce)).toMatchObject({
      msg: expect.stringMatching(/pm2 kills after 1 ms: set kill_timeout to at least 95000$/),
    });
  });

  it('has its properties as fields, times to a tenth of a millisecond, and the context before them', async () => {
    const line = await lineOf({ event: 'lifecycle.running', durationMs: 120.3456 }, { bot: 123 });
    expect(line).toMatchObject({ bot: 123, durationMs: 120.3 });
    const endless = { event: 'hook.starting', hook, limitMs: Number.POSITIVE_INFINITY } as const;
    expect(await lineOf(endless)).toMatchObject({ limitMs: null, msg: 'database: starting' });
  });

  it('says which update it is about, and its error is an error', async () => {
    const attempted = { ...handling, item: { ...item, attempt: 2 } };
    expect(await lineOf({ event: 'handler.failed', ...attempted, error: new Error('no') })).toMatchObject({
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

  it('says why it stops', async () => {
    const reason = StopReason.fault(new TypeError('oops'), 'uncaught exception');
    expect(await lineOf({ event: 'lifecycle.stopping', reason, budgetMs: 5_000 })).toMatchObject({
      reason: 'uncaught exception: oops',
      reasonKind: 'fault',
      budgetMs: 5_000,
      err: { type: 'TypeError', message: 'oops' },
    });
  });

  it('costs nothing where its level is off', async () => {
    let asked = 0;
    const event = {
      event: 'poll.answered',
      count: 1,
      get durationMs() {
        asked++;
        return 1;
      },
    } as const;
    expect(await lineOf(event, undefined, 'info')).toBeUndefined();
    expect(asked).toBe(0);
  });

  it('leaves the receipt to the receipt', async () => {
    expect(await lineOf(samples['lifecycle.stopped'][0])).toBeUndefined();
  });
});

describe('the table', () => {
  it('has a row for every event that the sources name', () => {
    const root = join(import.meta.dirname, '..', '..', 'src');
    const files = ['lifecycle', 'polling', 'dispatch', 'host'].map((folder) =>
      join(root, folder, 'events.ts'),
    );
    const named = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/event: '([a-z.-]+)'/g)]);
    expect(readdirSync(root)).toContain('logging');
    expect(named.length).toBeGreaterThan(30);
    for (const [, name = ''] of named) expect(Object.keys(eventTable)).toContain(name);
  });

  it('is Markdown for the README, in plain words', () => {
    const lines = eventsMarkdown().split('\n');
    expect(lines).toHaveLength(Object.keys(eventTable).length + 2);
    expect(lines).toContain('| `poll.started` | info | the first poll is answered: updates flow |');
    for (const line of lines) expect(line.match(/\|/g)).toHaveLength(4);
  });

  it('has names of two parts', () => {
    for (const name of Object.keys(eventTable)) expect(name).toMatch(/^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/);
  });
});
