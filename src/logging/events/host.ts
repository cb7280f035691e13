/** The log lines of events about the process's surroundings: the lock, the previous run, and stand-stills. */
import { basename } from 'node:path';
import type { BudgetEvent, HostEvent, KilledRun } from '../../host/events.js';
import { count, durationInWords } from '../../words.js';
import type { Rows } from './row.js';

export const hostEvents: Rows<Exclude<HostEvent, BudgetEvent>> = {
  'lock.waiting': {
    level: 'info',
    means: 'another process on this host runs the bot; this process stands by until the other ends',
    message: ({ bot, holder }) =>
      `Standing by: ${holder === undefined ? 'another process' : `process ${holder}`} runs bot ${bot}`,
  },
  'lock.acquired': {
    level: 'debug',
    means: 'this process holds the lock of the bot; `waitedMs` is how long it stood by',
    message: ({ bot, waitedMs }) =>
      waitedMs === 0
        ? `The lock of bot ${bot} is held`
        : `Taking over bot ${bot} after standing by for ${durationInWords(waitedMs)}`,
    levelOf: ({ waitedMs }) => (waitedMs === 0 ? 'debug' : 'info'),
  },
  'lock.usurped': {
    level: 'warn',
    means:
      'a process that is not of this user holds the public name of the bot’s lock, and may do so to keep the bot from running; the bot runs all the same. `holder` and `uid` are known to root only',
    message: ({ bot, holder, uid }) =>
      `${holder === undefined ? 'A process of another user or container' : `Process ${holder} of user ${uid}`} holds the public name of the lock of bot ${bot}; the bot runs all the same, by the lock in its folder`,
  },
  'lock.released': {
    level: 'debug',
    means: 'this process has released the lock of the bot',
    message: ({ bot }) => `The lock of bot ${bot} is released`,
  },
  'former-inbox.taken-over': {
    level: 'info',
    means:
      'the inbox that a former version of lastcall kept of the bot at `from`, a name made of the address of its server, is now that of the bot, at `path`',
    message: ({ from, path }) => `The inbox that a former version kept in ${from} is now in ${path}`,
  },
  'former-inbox.left': {
    level: 'warn',
    means:
      'a former version of lastcall kept an inbox of the bot at `path`, which is not handled, because the bot has one already at `own`; with an error if it cannot be looked into',
    message: ({ path, own, error }) => {
      const see = `\`lastcall inbox --bot ${basename(path)}\` shows what it holds`;
      const who = error === undefined ? see : `${see}, to the user that it belongs to`;
      return `The inbox that a former version kept in ${path} is not handled, because the bot has one already: ${who}. Remove it if nothing in it is needed; otherwise, once the bot’s own is empty, stop the bot, move ${own} away, and start it`;
    },
  },
  'journal.unused': {
    level: 'warn',
    means:
      'the journal at `path` holds updates that nobody handles, because `INBOX` names another kind of inbox now; how many wait, and how many are dead letters',
    message: ({ path, inbox, updates, dead }) => {
      const holds = `${count(updates, 'update')} and ${count(dead, 'dead letter')}`;
      const cure =
        inbox === 'postgres'
          ? 'stop the bot and run `lastcall inbox move database`'
          : 'start the bot once with INBOX=journal';
      return `The journal in ${path} holds ${holds} that nobody handles with this INBOX: ${cure}`;
    },
  },
  'previous-run.killed': {
    level: 'warn',
    means:
      'the previous run did not end by itself; the message says in which `phase` it was, and what to change',
    message: (event) => `${killedInWords(event)}: ${event.advice}`,
  },
  'previous-run.receipt': {
    level: 'info',
    means:
      'the receipt of the previous run, whose log had lost its reader before the end, as when pm2’s own process was killed; with `reason`, `outcome`, `exitCode` and `counts`, and a warning unless it was clean',
    message: ({ pid, words }) => `The previous run (process ${pid}) could not log its receipt: ${words}`,
    levelOf: ({ outcome }) => (outcome === 'clean' ? 'info' : 'warn'),
    fields: ({ words, ...fields }) => fields,
  },
  'run-record.failed': {
    level: 'debug',
    levelOf: ({ isStale }) => (isStale ? 'warn' : 'debug'),
    means:
      'the file in `STATE_DIR` that says how a run ended cannot be read or written; a warning if the next run would take this one for killed',
    message: ({ path, isStale }) =>
      isStale
        ? `Cannot write ${path}: the next run will say that this one was killed, however it ends`
        : `Cannot read or write ${path}`,
  },
  'state.watched': {
    level: 'warn',
    means:
      'a `watcher` (pm2, nodemon, `node --watch-path`) sees `STATE_DIR`, and restarts the bot at each change there; the message says what to set',
    message: ({ watcher, folder, cure }) =>
      `${watcher} watches ${folder} (STATE_DIR), and would restart the bot at each change there, before it comes to poll: ${cure}, or set STATE_DIR to a folder that is not watched`,
    fields: ({ watcher, folder }) => ({ watcher, folder }),
  },
  'bot.stopping': {
    level: 'info',
    means: 'the program stops this bot alone; `by` is what it called. Its handlers may end',
    message: ({ bot, by }) => `Stopping bot ${bot} alone (${by} was called)`,
  },
  'bot.stopped': {
    level: 'info',
    means: 'a bot that the program has stopped has ended; the program may launch it again',
    message: ({ bot }) => `Bot ${bot} is stopped; the program may launch it again`,
  },
  'bot.failed': {
    level: 'error',
    means:
      'a bot cannot be polled any more, while others go on (`BOT_FAILURE`); its updates stay in its inbox. The receipt names it, too',
    message: ({ bot, error }) => `Bot ${bot} has ended, the others go on: ${error.message}`,
  },
  'process.stood-still': {
    level: 'warn',
    means:
      'the process did not run for `ms`, because it or its machine was paused; no time limit counts this time',
    message: ({ ms }) =>
      `The process stood still for ${durationInWords(ms)}; handlers, hooks and polls get this time back`,
  },
  'status.unavailable': {
    level: 'info',
    means: 'the socket at which `lastcall status` asks cannot be opened; the bot runs all the same',
    message: ({ bot, path }) => `\`lastcall status\` cannot ask for bot ${bot}: ${path} cannot be opened`,
  },
  'metrics.listening': {
    level: 'info',
    means:
      'metrics and health checks are served at `address`; a warning where it is not of this machine alone (`exposed`)',
    message: ({ address, exposed }) =>
      `Metrics at http://${address}/metrics${exposed ? ', for all who reach this address: it should be one of a network that you trust' : ''}`,
    levelOf: ({ exposed }) => (exposed ? 'warn' : 'info'),
  },
  'metrics.unavailable': {
    level: 'warn',
    means:
      'the address of `METRICS` is in use by another process, or not there yet; it is tried again every 2 s, and the bot runs all the same',
    message: ({ address }) =>
      `No metrics yet: ${address} (METRICS) is in use by another process, or is no address of this machine yet; the bot runs all the same, and the address is tried again every 2 s`,
  },
  'history.failed': {
    level: 'info',
    means:
      'the file that `lastcall history` reads cannot be written; told once, and the bot runs all the same',
    message: ({ path }) => `\`lastcall history\` will miss something: ${path} cannot be written`,
  },
};

function killedInWords({ pid, phase, hook, durationMs, bound, machineRestarted }: KilledRun): string {
  const length = `${bound === 'exactly' ? '' : 'at most '}${durationInWords(durationMs)}`;
  const where = {
    starting: `${length} into the start${hook === undefined ? '' : ` of "${hook}"`}`,
    running: `after running for ${length}`,
    draining: `${length} into the drain`,
    stopping: `${length} into the stop of "${hook}"`,
  };
  return `The previous run (process ${pid}) was ${machineRestarted ? 'cut off' : 'killed'} ${where[phase]}`;
}
