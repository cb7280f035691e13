/** The log lines of inbox events. */
import type { InboxEvent } from '../../inbox/events.js';
import type { DeadReason } from '../../inbox/inbox.js';
import { count, durationInWords } from '../../words.js';
import type { Rows } from './row.js';

const survived = {
  process: 'the end of the process',
  power: 'a power cut',
  'fail-over': 'a power cut and a fail-over',
};

export const inboxEvents: Rows<InboxEvent> = {
  'inbox.opened': {
    level: 'info',
    means:
      'the journal or the database is ready; `path` is where it is, `survives` what accepted updates survive, `except` what they do not',
    message: ({ path, survives, except }) =>
      `Inbox: ${path}, whose updates survive ${survived[survives]}${except === undefined ? '' : `; ${except}`}`,
  },
  'inbox.waiting': {
    level: 'warn',
    means:
      'the inbox was not closed by its owner on another host or in another container; lastcall waits `waitMs` to see whether that owner is alive',
    message: ({ place, waitMs }) =>
      `The inbox was not closed${place === undefined ? '' : ` on ${place.split(' ')[0]}`}: waiting ${durationInWords(waitMs)} to see whether its owner is alive`,
  },
  'inbox.recovered': {
    level: 'info',
    means:
      'earlier runs left updates, which are handed out before newer ones; `begun` of them had been begun, `died` of these by a process that died',
    message: ({ updates, begun, died }) => {
      const parts = [
        [died, 'begun by a process that died'],
        [begun - died, 'cut by a stop'],
        [updates - begun, 'not begun'],
      ] as const;
      const nonZero = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
      return `${count(updates, 'update')} left by earlier runs: ${nonZero.join(', ')}`;
    },
  },
  'inbox.repeated': {
    level: 'info',
    means: 'Telegram sent updates again that are in the inbox or done; they are not handled twice',
    message: ({ updates }) => `Telegram sent ${count(updates, 'update')} again; they are known already`,
  },
  'inbox.dead': {
    level: 'error',
    means:
      'an update is given up and kept as a dead letter: `why` is `died`, `cut` or `expired`, or at level debug `failed`, `caught` or `timed-out`, which `handler.failed` and `handler.hung` tell',
    message: ({ updateId, kind, why, attempts, deaths, cuts }) => {
      const because = why === 'died' || why === 'cut' ? endsInWords(deaths, cuts) : gaveUpBecause[why];
      return `Gave up update ${updateId} (${kind}) after ${count(attempts, 'attempt')}: ${because}`;
    },
    levelOf: ({ why }) => (why === 'died' || why === 'cut' || why === 'expired' ? 'error' : 'debug'),
  },
  'inbox.dead-dropped': {
    level: 'warn',
    means:
      'the oldest dead letters were dropped because of `limit`: `DEAD_LIMIT`, `DEAD_AGE` or `size` (256 MiB); `why` counts them by the reason for which they had been given up',
    message: ({ letters, limit, why }) => {
      const reasons = Object.entries(why).map(([reason, number]) => `${number} ${reason}`);
      return `Dropped ${count(letters, 'dead letter')} because of ${limit === 'size' ? 'their size' : limit}: ${reasons.join(', ')}`;
    },
  },
  'inbox.paused': {
    level: 'warn',
    means: 'the inbox is full or the disk nearly full; no updates are fetched until there is room',
    message: ({ because, waiting, bytes, freeBytes }) => {
      const why = {
        updates: `${count(waiting, 'update')} wait`,
        bytes: `it holds ${megabytes(bytes)}`,
        disk: `the disk has ${megabytes(freeBytes)} left`,
      };
      return `The inbox is paused: ${why[because]}`;
    },
  },
  'inbox.resumed': {
    level: 'info',
    means: 'the inbox has room again; updates are fetched again',
    message: ({ waiting, pausedMs }) =>
      `The inbox takes updates again after ${durationInWords(pausedMs)}; ${count(waiting, 'update')} wait`,
  },
  'inbox.damaged': {
    level: 'error',
    means:
      'a part of the inbox cannot be read any more; the damaged files are kept at `path`, what can be read stays in the inbox',
    message: ({ path, bytes, saved }) =>
      `The inbox is damaged: ${count(bytes, 'byte')} cannot be read, updates may be lost; ${count(saved, 'update')} saved. The damaged files are kept at ${path}`,
  },
  'inbox.requested': {
    level: 'info',
    means:
      'a request of `lastcall inbox retry` or `drop` was carried out on so many updates; `ids` are those of the first 20',
    message: ({ action, updates, refused }) => {
      const done = `${action === 'retry' ? 'Retrying' : 'Dropped'} ${count(updates, 'update')}, as requested`;
      return refused === 0 ? done : `${done}; ${refused} refused`;
    },
  },
  'inbox.standing-by': {
    level: 'info',
    means:
      'another process polls (`INBOX=postgres://…`); this one handles updates, and polls when that one ends',
    message: ({ holder }) =>
      `Another process polls${holder === undefined ? '' : ` (${holder})`}; handling updates, and standing by to poll`,
  },
  'inbox.turn-began': {
    level: 'info',
    means: 'it is this process that polls from now on, after standing by for `waitedMs`',
    message: ({ waitedMs }) =>
      `This process polls from now on${waitedMs < 1_000 ? '' : `, after standing by for ${durationInWords(waitedMs)}`}`,
  },
  'inbox.turn-lost': {
    level: 'warn',
    means:
      'this process does not poll any more, because another one does, or may; `why` says how it came to that',
    message: ({ why }) => `This process does not poll any more: ${why}`,
  },
  'inbox.host-freed': {
    level: 'warn',
    means:
      'another process has given no sign of life for the time of its lease; the other processes go on with what it had, of which `running` updates were at work',
    message: ({ place, running }) =>
      `The process on ${place} is taken for dead; ${count(running, 'update')} of those it had ${running === 1 ? 'was' : 'were'} at work`,
  },
  'inbox.host-lost': {
    level: 'warn',
    means:
      'this process stood still or was cut off for so long that the others have taken what it had; `running` handlers here are at work on updates that are handled again elsewhere',
    message: ({ running }) =>
      `This process was taken for dead; ${count(running, 'update')} at work here may be handled again elsewhere`,
  },
  'inbox.unreachable': {
    level: 'warn',
    means: 'the database of the inbox is out of reach, which is retried without limit',
    message: ({ detail }) => `The inbox is out of reach: ${detail}`,
  },
  'inbox.reachable': {
    level: 'info',
    means: 'the database of the inbox answers again after `outageMs`',
    message: ({ outageMs }) => `The inbox is there again after ${durationInWords(outageMs)}`,
  },
  'inbox.failed': {
    level: 'error',
    means: 'the inbox can no longer keep updates safe; the run ends',
    message: ({ error }) => error.message,
  },
};

const gaveUpBecause: Readonly<Record<Exclude<DeadReason, 'died' | 'cut'>, string>> = {
  failed: 'its handler failed',
  caught: 'its handler failed, and bot.catch took the error',
  'timed-out': 'its handler hung',
  expired: 'it is too old to be answered',
};

/** How the runs in a row ended that had begun an update. */
function endsInWords(deaths: number, cuts: number): string {
  const died = `${deaths} ${deaths === 1 ? 'process' : 'processes'} died while handling it`;
  if (cuts === 0) return died;
  if (deaths > 0) return `${died}, and ${count(cuts, 'stop')} interrupted its handler`;
  return `${count(cuts, 'stop')} in a row interrupted its handler, which may have waited for them`;
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
