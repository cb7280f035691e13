import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../../src/errors.js';
import type {
  BotEvent,
  KilledRun,
  LockEvent,
  PreviousRunEvent,
  WatchedStateEvent,
} from '../../../src/host/events.js';
import { lineOf, type Samples } from './line-of.js';

const killed: KilledRun = {
  pid: 4711,
  phase: 'draining',
  hook: undefined,
  durationMs: 1_600,
  bound: 'exactly',
  machineRestarted: false,
  advice: 'raise kill_timeout to at least 12000',
};

const samples: Samples<LockEvent | PreviousRunEvent | WatchedStateEvent | BotEvent> = {
  'lock.waiting': [
    { event: 'lock.waiting', bot: 7, holder: 4711 },
    'info',
    'Standing by: process 4711 runs bot 7',
  ],
  'lock.acquired': [
    { event: 'lock.acquired', bot: 7, waitedMs: 61_000 },
    'info',
    'Taking over bot 7 after standing by for 1 min 1 s',
  ],
  'lock.usurped': [
    { event: 'lock.usurped', bot: 7, holder: 4711, uid: 1000 },
    'warn',
    'Process 4711 of user 1000 holds the public name of the lock of bot 7; the bot runs all the same, by the lock in its folder',
  ],
  'lock.released': [{ event: 'lock.released', bot: 7 }, 'debug', 'The lock of bot 7 is released'],
  'bot.stopping': [
    { event: 'bot.stopping', bot: 7, by: "bot.stop('reload')" },
    'info',
    "Stopping bot 7 alone (bot.stop('reload') was called)",
  ],
  'bot.stopped': [
    { event: 'bot.stopped', bot: 7 },
    'info',
    'Bot 7 is stopped; the program may launch it again',
  ],
  'bot.failed': [
    { event: 'bot.failed', bot: 7, error: new LastcallError('TOKEN_REFUSED', 'BOT_TOKEN', 'no such token') },
    'error',
    'Bot 7 has ended, the others go on: no such token',
  ],
  'previous-run.killed': [
    { event: 'previous-run.killed', bot: 7, ...killed },
    'warn',
    'The previous run (process 4711) was killed 1.6 s into the drain: raise kill_timeout to at least 12000',
  ],
  'previous-run.receipt': [
    {
      event: 'previous-run.receipt',
      bot: 7,
      pid: 4711,
      exitCode: 1,
      reason: 'SIGHUP',
      outcome: 'cut',
      counts: { handled: 2 },
      words: 'Stopped, not cleanly (SIGHUP), exit code 1',
    },
    'warn',
    'The previous run (process 4711) could not log its receipt: Stopped, not cleanly (SIGHUP), exit code 1',
  ],
  'state.watched': [
    {
      event: 'state.watched',
      watcher: 'nodemon',
      folder: '/srv/bot/data',
      cure: 'start it with --ignore data/',
    },
    'warn',
    'nodemon watches /srv/bot/data (STATE_DIR), and would restart the bot at each change there, before it comes to poll: start it with --ignore data/, or set STATE_DIR to a folder that is not watched',
  ],
  'run-record.failed': [
    {
      event: 'run-record.failed',
      path: '/var/lib/bot/last-run.json',
      error: new Error('EACCES'),
      isStale: false,
    },
    'debug',
    'Cannot read or write /var/lib/bot/last-run.json',
  ],
};

describe('an event of the host', () => {
  it.each(Object.values(samples))('$event has its line', async (event, level, msg) => {
    expect(await lineOf(event)).toMatchObject({ level, event: event.event, msg });
  });

  it('warns of a record that will say of this run what is not true', async () => {
    const [event] = samples['run-record.failed'];
    expect(await lineOf({ ...event, isStale: true })).toMatchObject({
      level: 'warn',
      msg: 'Cannot write /var/lib/bot/last-run.json: the next run will say that this one was killed, however it ends',
    });
  });
});
