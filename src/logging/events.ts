/**
 * Events as log lines: one row an event, with its level, its words, and what it means. The names are stable; people build
 * alerts on them. A missing row is a compile error.
 */
import type { DispatchEvent, Handling } from '../dispatch/events.js';
import type { LastcallError } from '../errors.js';
import type { BudgetEvent, HostEvent, KilledRun } from '../host/events.js';
import type { InboxEvent } from '../inbox/events.js';
import type { Entry } from '../inbox/inbox.js';
import type { LifecycleEvent } from '../lifecycle/events.js';
import type { StopReason } from '../lifecycle/stop-reason.js';
import type { PollingEvent } from '../polling/events.js';
import { count, durationInWords, firstFew } from '../words.js';
import { errorFields } from './error-fields.js';

/** What the process around the core tells. */
type ProgramEvent =
  | { readonly event: 'config.warning'; readonly warning: string }
  | { readonly event: 'process.fault'; readonly origin: string; readonly error: unknown }
  | { readonly event: 'program.slow'; readonly progress: string }
  | { readonly event: 'program.left-open'; readonly kinds: readonly string[] }
  | { readonly event: 'log.dropped'; readonly lines: number };

/** All that can be logged by name. */
export type LoggedEvent =
  | LifecycleEvent
  | PollingEvent
  | InboxEvent
  | DispatchEvent<Entry>
  | HostEvent
  | ProgramEvent;

export type EventName = LoggedEvent['event'];
type Events = { readonly [E in LoggedEvent as E['event']]: E };

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** The part of a pino logger that events need. */
export interface EventLog extends Record<Level, (fields: object, message: string) => void> {
  isLevelEnabled(level: Level): boolean;
}

interface Row<E> {
  readonly level: Level;
  /** When the event happens, in half a sentence; for the README. */
  readonly means: string;
  /** Reads well without the fields, and never repeats what people wrote to the bot. */
  message(event: E): string;
  /** Where some events of this name matter more than others. */
  levelOf?(event: E): Level;
  /** Where the event's own properties are not fit for a log line. */
  fields?(event: E): object;
}

export const eventTable: { readonly [K in EventName]: Row<Events[K]> } = {
  'lifecycle.starting': {
    level: 'info',
    means: 'the run begins',
    message: () => 'Starting',
  },
  'lifecycle.budget': {
    level: 'info',
    means:
      'how long a stop may take: the drain `drainMs`, the hooks behind it `hooksMs`; a warning where pm2 would kill sooner than `STOP_TIMEOUT`',
    message: budgetInWords,
    levelOf: ({ cutShort }) => (cutShort ? 'warn' : 'info'),
    fields: ({ cutShort, ...rest }) => ({ ...rest, ...cutShort }),
  },
  'lifecycle.running': {
    level: 'info',
    means: 'everything has started',
    message: ({ durationMs }) => `Running, after a start of ${durationInWords(durationMs)}`,
  },
  'lifecycle.stopping': {
    level: 'info',
    means: 'the stop begins; `reason` says why',
    message: ({ reason, budgetMs }) => {
      // Why it failed is in the line before.
      const why = reason.kind === 'start-failed' ? 'the start failed' : reason.message;
      return `Stopping (${why})${within(budgetMs)}`;
    },
    levelOf: ({ reason }) => levelOfReason(reason),
    fields: ({ reason, budgetMs }) => ({ ...reasonFields(reason), budgetMs }),
  },
  'lifecycle.stop-repeated': {
    level: 'info',
    means: 'a stop was asked again; the first reason stays',
    message: ({ reason }) => `Stop asked again (${reason.message})`,
    levelOf: ({ reason }) => levelOfReason(reason),
    fields: ({ reason }) => reasonFields(reason),
  },
  'lifecycle.hastened': {
    level: 'warn',
    means: 'a second signal: running handlers are aborted, each hook gets `limitMs`',
    message: ({ limitMs }) =>
      `Stopping in haste: running handlers are aborted, each hook gets ${durationInWords(limitMs)}`,
  },
  'lifecycle.stopped': {
    level: 'info',
    means: 'the receipt, the last line: `reason`, `outcome`, `exitCode`, `phases`, `counts`',
    message: () => 'Stopped',
  },
  'hook.starting': {
    level: 'info',
    means: 'a hook begins to start',
    message: ({ hook, limitMs }) => `${hook}: starting${within(limitMs)}`,
  },
  'hook.started': {
    level: 'info',
    means: 'it has started',
    message: ({ hook, durationMs }) => `${hook}: started in ${durationInWords(durationMs)}`,
  },
  'hook.called-off': {
    level: 'info',
    means: 'its start gave up, because a stop was asked',
    message: ({ hook, durationMs }) => `${hook}: start called off after ${durationInWords(durationMs)}`,
  },
  'hook.stopping': {
    level: 'info',
    means: 'a hook begins to stop',
    message: ({ hook, limitMs }) => `${hook}: stopping${within(limitMs)}`,
  },
  'hook.stopped': {
    level: 'info',
    means: 'it has stopped',
    message: ({ hook, durationMs }) => `${hook}: stopped in ${durationInWords(durationMs)}`,
  },
  'hook.failed': {
    level: 'error',
    means: 'its `step` threw',
    message: ({ hook, step, durationMs, error }) =>
      `${hook}: ${step} failed after ${durationInWords(durationMs)}: ${thrownBy(error)}`,
  },
  'hook.cut': {
    level: 'error',
    means: 'its `step` was still at work when its time was up',
    message: ({ hook, step, durationMs }) => `${hook}: ${step} cut off after ${durationInWords(durationMs)}`,
  },
  'poll.connected': {
    level: 'info',
    means: '`getMe` has answered: the token is good',
    message: ({ id, username }) => `Connected to Telegram as @${username} (${id})`,
  },
  'poll.backlog': {
    level: 'info',
    means: 'how many updates wait at Telegram at the start',
    message: ({ pending }) => `${count(pending, 'update')} waiting at Telegram`,
  },
  'poll.webhook-deleted': {
    level: 'warn',
    means: 'a webhook was set and has been removed',
    message: ({ host }) => `Removed the webhook at ${host}: it gets no more updates`,
  },
  'poll.pending-dropped': {
    level: 'warn',
    means: 'the updates that waited at Telegram were thrown away, as asked for',
    message: ({ count: dropped }) => `Threw away ${count(dropped, 'update')} that waited at Telegram`,
  },
  'poll.started': {
    level: 'info',
    means: 'the first poll is answered: updates flow',
    message: () => 'Polling',
  },
  'poll.answered': {
    level: 'debug',
    means: 'a poll is answered',
    message: (event) => `${count(event.count, 'update')} after ${durationInWords(event.durationMs)}`,
  },
  'poll.failed': {
    level: 'warn',
    means:
      'Telegram is out of reach, or `getMe` refuses the token that was good; tried again for ever or for a minute',
    message: (event) => {
      const what = event.class === 'unreachable' ? 'Telegram unreachable' : 'getMe refuses the token, too';
      return `${what} (${event.detail}); next try in ${durationInWords(event.retryInMs)}`;
    },
  },
  'poll.rate-limited': {
    level: 'warn',
    means: 'Telegram asked to wait',
    message: ({ retryAfterSeconds }) =>
      `Telegram asks to wait; next try in ${durationInWords(retryAfterSeconds * 1_000)}`,
  },
  'poll.conflict': {
    level: 'warn',
    means: 'another program, or a webhook, takes the updates; the run ends after `CONFLICT_PATIENCE`',
    message: ({ by, detail, patienceLeftMs }) => {
      const who =
        by === 'webhook' ? 'A webhook takes the updates' : 'Another program polls with the same token';
      return `${who} (${detail}); going on for ${durationInWords(patienceLeftMs)}`;
    },
  },
  'poll.token-doubted': {
    level: 'error',
    means: 'a poll is refused for a token that was good; `getMe` is asked',
    message: ({ detail }) => `Telegram refuses the token that was good (${detail}); asking again with getMe`,
  },
  'poll.rejected': {
    level: 'error',
    means: 'Telegram rejects the request itself; the run ends after 2 minutes of it',
    message: ({ detail, retryInMs, patienceLeftMs }) =>
      `Telegram rejects the poll (${detail}); next try in ${durationInWords(retryInMs)}, giving up in ${durationInWords(patienceLeftMs)}`,
  },
  'poll.recovered': {
    level: 'info',
    means: 'the first answer after failures; `gapMs` is how long there was none',
    message: ({ gapMs, failures }) =>
      `Telegram answers again, after ${durationInWords(gapMs)} and ${count(failures, 'failure')}`,
  },
  'poll.confirmed': {
    level: 'info',
    means: 'the stop has told Telegram to forget the updates below `offset`',
    message: ({ offset }) => `Confirmed all updates below ${offset}`,
  },
  'poll.confirm-failed': {
    level: 'warn',
    means:
      'it could not; Telegram sends updates again that are here or done with, which only the journal recognizes',
    message: ({ offset, detail }) =>
      `Could not confirm the updates below ${offset} (${detail}); Telegram will send those since the last poll again`,
  },
  'poll.stopped': {
    level: 'info',
    means: 'polling has ended',
    message: ({ fetched, confirmedUpTo }) =>
      `Polling ended: ${count(fetched, 'update')} fetched${confirmedUpTo === undefined ? '' : `, confirmed up to ${confirmedUpTo}`}`,
  },
  'inbox.opened': {
    level: 'info',
    means: 'the journal is ready; `path` is where it is, `survives` what accepted updates survive',
    message: ({ path, survives }) =>
      `Inbox: ${path}; what it has survives ${survives === 'power' ? 'a power cut' : 'the process'}`,
  },
  'inbox.waiting': {
    level: 'warn',
    means:
      'the inbox was left without a word on another host or in another container; whether its owner is alive shows within `waitMs`',
    message: ({ place, waitMs }) =>
      `The inbox was left without a word${place === undefined ? '' : ` on ${place}`}: waiting ${durationInWords(waitMs)} for a sign of life`,
  },
  'inbox.recovered': {
    level: 'info',
    means:
      'what earlier runs left, which is handled first; `begun`, and `died` when a process did that had begun them',
    message: ({ updates, begun, died }) => {
      const parts = [
        [died, 'begun by a process that died'],
        [begun - died, 'cut by a stop'],
        [updates - begun, 'not begun'],
      ] as const;
      const told = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
      return `${count(updates, 'update')} left by earlier runs: ${told.join(', ')}`;
    },
  },
  'inbox.repeated': {
    level: 'info',
    means: 'Telegram has sent updates again that are in the inbox or done with; they are not handled twice',
    message: ({ updates }) => `Telegram has sent ${count(updates, 'update')} again, known already`,
  },
  'inbox.dead': {
    level: 'error',
    means:
      'an update is given up and kept with the dead letters: `why` is `died`, or at `debug` `failed` or `timed-out`',
    message: ({ updateId, kind, why, attempts }) =>
      why === 'died'
        ? `Gave up update ${updateId} (${kind}), of which ${attempts} processes have died`
        : `Kept update ${updateId} (${kind}), whose handler ${why === 'failed' ? 'failed' : 'hung'}`,
    levelOf: ({ why }) => (why === 'died' ? 'error' : 'debug'),
  },
  'inbox.paused': {
    level: 'warn',
    means: 'the inbox is full, or the disk nearly is; no more is taken from Telegram until there is room',
    message: ({ because, waiting, bytes, freeBytes }) => {
      const why = {
        updates: `${count(waiting, 'update')} wait`,
        bytes: `it takes ${megabytes(bytes)}`,
        disk: `the disk has ${megabytes(freeBytes)} left`,
      };
      return `The inbox takes no more: ${why[because]}`;
    },
  },
  'inbox.resumed': {
    level: 'info',
    means: 'there is room again',
    message: ({ waiting, pausedMs }) =>
      `The inbox takes updates again, after ${durationInWords(pausedMs)}; ${count(waiting, 'update')} wait`,
  },
  'inbox.damaged': {
    level: 'error',
    means: 'some of the inbox cannot be read any more; it is set aside at `path`, what can be read is kept',
    message: ({ path, bytes, saved }) =>
      `The inbox is damaged: ${count(bytes, 'byte')} cannot be read, updates may be lost; ${count(saved, 'update')} saved. Set aside: ${path}`,
  },
  'inbox.requested': {
    level: 'info',
    means: 'somebody has used `lastcall inbox retry` or `drop`',
    message: ({ action, updates, refused }) => {
      const done = `${action === 'retry' ? 'Retrying' : 'Dropped'} ${count(updates.length, 'update')}, as asked for`;
      return refused === 0 ? done : `${done}; ${refused} refused`;
    },
  },
  'inbox.failed': {
    level: 'error',
    means: 'nothing can be made safe any more; the run ends',
    message: ({ error }) => error.message,
  },
  'handler.failed': {
    level: 'error',
    means: 'a handler threw; its update counts as failed',
    message: ({ item, durationMs, error }) =>
      `The handler of ${nameOf(item)} failed after ${durationInWords(durationMs)}: ${errorFields(error).message}`,
    fields: handlingFields,
  },
  'handler.timed-out': {
    level: 'warn',
    means: 'a handler ran for longer than `HANDLER_TIMEOUT`; its `ctx.signal` is aborted',
    message: ({ item, durationMs }) =>
      `The handler of ${nameOf(item)} is overdue after ${durationInWords(durationMs)}`,
    fields: handlingFields,
  },
  'handler.hung': {
    level: 'error',
    means: 'it did not heed that for 10 s; its chat goes on without it',
    message: ({ item, durationMs }) =>
      `The handler of ${nameOf(item)} hangs, after ${durationInWords(durationMs)}; going on without it`,
    fields: handlingFields,
  },
  'handler.ended-late': {
    level: 'debug',
    means: 'a hung handler has ended after all',
    message: ({ item, durationMs }) =>
      `The handler of ${nameOf(item)} has ended, after ${durationInWords(durationMs)}`,
    fields: handlingFields,
  },
  'dispatch.exhausted': {
    level: 'error',
    means: 'more handlers hang than `CONCURRENCY` allows; the run ends',
    message: ({ hung, concurrency }) =>
      `${count(hung, 'handler')} hang, more than may be at work at once (${concurrency})`,
  },
  'dispatch.fault': {
    level: 'error',
    means: 'an update could not be settled; the run ends',
    message: ({ item }) => `Could not settle ${nameOf(item)}`,
    fields: handlingFields,
  },
  'drain.started': {
    level: 'info',
    means: 'running handlers may end, no new ones begin',
    message: ({ running, waiting }) =>
      `Draining: ${count(running, 'handler')} running, ${count(waiting, 'update')} waiting`,
  },
  'drain.overdue': {
    level: 'warn',
    means: 'the drain has no more time; these handlers are aborted, their updates stay for the next run',
    message: ({ aborted }) => {
      const handlings = aborted.map(
        (handling) => `${nameOf(handling.item)} after ${durationInWords(handling.durationMs)}`,
      );
      return `Aborted ${count(aborted.length, 'handler')} that did not end in time: ${firstFew(handlings, 5)}`;
    },
    fields: ({ aborted }) => ({ aborted: aborted.map(handlingFields) }),
  },
  'lock.waiting': {
    level: 'info',
    means: 'another process on this host runs the bot; this one stands by until it ends',
    message: ({ bot, holder }) =>
      `Standing by: ${holder === undefined ? 'another process' : `process ${holder}`} runs bot ${bot}`,
  },
  'lock.acquired': {
    level: 'debug',
    means: 'the bot is run by this process alone; `waitedMs` is how long it stood by',
    message: ({ bot, waitedMs }) =>
      waitedMs === 0
        ? `The lock of bot ${bot} is held`
        : `Taking over bot ${bot}, after standing by for ${durationInWords(waitedMs)}`,
    levelOf: ({ waitedMs }) => (waitedMs === 0 ? 'debug' : 'info'),
  },
  'lock.released': {
    level: 'debug',
    means: 'another process may run the bot now',
    message: ({ bot }) => `The lock of bot ${bot} is released`,
  },
  'previous-run.killed': {
    level: 'warn',
    means: 'the run before this one did not end by itself: in which `phase` it was, and what to change',
    message: (event) => `${killedInWords(event)}: ${event.advice}`,
  },
  'run-record.failed': {
    level: 'debug',
    means: 'the file in `STATE_DIR` that says how a run ended cannot be read or written',
    message: ({ path }) => `No use can be made of ${path}`,
  },
  'config.warning': {
    level: 'warn',
    means: 'a setting is probably not what was meant',
    message: ({ warning }) => warning,
    fields: () => ({}),
  },
  'process.fault': {
    level: 'error',
    means: 'an uncaught exception or an unhandled rejection',
    message: ({ origin, error }) =>
      `${origin === 'unhandledRejection' ? 'Unhandled rejection' : 'Uncaught exception'}: ${errorFields(error).message}`,
  },
  'program.slow': {
    level: 'warn',
    means: 'the bot module has given no bot for a while; the start ends after `START_TIMEOUT`',
    message: ({ progress }) => `Still waiting for the bot module: ${progress}`,
  },
  'program.left-open': {
    level: 'warn',
    means: 'an unchanged bot program has left something open that would have kept it from ending',
    message: ({ kinds }) => `The bot program has left open: ${firstFew(kinds, 5)}`,
  },
  'log.dropped': {
    level: 'warn',
    means: 'nobody read the log for so long that lines were dropped',
    message: ({ lines }) => `${count(lines, 'log line')} dropped, because nobody read them`,
  },
};

/**
 * Writes the event's line, if its level is on. `context` is added to its fields, such as the bot's id. Not
 * `lifecycle.stopped`: that line is the receipt, which needs figures the event does not have.
 */
export function logEvent(log: EventLog, event: LoggedEvent, context?: object): void {
  if (event.event !== 'lifecycle.stopped') tell(log, event.event, event, context);
}

function tell<K extends EventName>(log: EventLog, name: K, event: Events[K], context?: object): void {
  const row: Row<Events[K]> = eventTable[name];
  const level = row.levelOf?.(event) ?? row.level;
  if (!log.isLevelEnabled(level)) return;
  const fields = row.fields?.(event) ?? event;
  log[level](lineFields({ event: name, ...context, ...fields }), row.message(event));
}

/** The table of events as Markdown; the README's is held to it by a test. Ends without a line break. */
export function eventsMarkdown(): string {
  const lines = Object.entries(eventTable).map(
    ([name, { level, means }]) => `| \`${name}\` | ${level} | ${means} |`,
  );
  return ['| event | level | when |', '| --- | --- | --- |', ...lines].join('\n');
}

/** As a line has them: the error under the name that pino knows it by, times to a tenth of a millisecond. */
export function lineFields(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]: [string, unknown]) => {
    if (name === 'error') return ['err', value] as const;
    if (name.endsWith('Ms') && typeof value === 'number') return [name, roundedMs(value)] as const;
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

/** `null`, which JSON has in place of Infinity, where there is no limit. */
export function roundedMs(ms: number): number | null {
  return Number.isFinite(ms) ? Math.round(ms * 10) / 10 : null;
}

/** Why the run stops, as fields. */
export function reasonFields({ kind, message, cause }: StopReason): object {
  return { reason: message, reasonKind: kind, ...(cause !== undefined && { error: cause }) };
}

function levelOfReason({ kind, exitCode }: StopReason): Level {
  return exitCode === 0 || kind === 'aborted' ? 'info' : 'error';
}

/** Which update it is about, and what became of its handler. */
function handlingFields({ item, ...rest }: Partial<Handling<Entry>> & { readonly item: Entry }): object {
  const { updateId, kind, key, attempt } = item;
  return lineFields({ updateId, kind, ...(attempt > 1 && { attempt }), ...rest, key });
}

function nameOf({ updateId, kind }: Entry): string {
  return `update ${updateId} (${kind})`;
}

function budgetInWords({ budgetMs, drainMs, hooksMs, cutShort }: BudgetEvent): string {
  const [whole, drain, hooks] = [budgetMs, drainMs, hooksMs].map(durationInWords);
  const shares = `the drain ${drain}, the hooks behind it ${hooks} and what it leaves`;
  if (!cutShort) return `A stop may take ${whole}: ${shares}`;
  const { killAfterMs, neededMs } = cutShort;
  const ownLimit = budgetMs < 1 ? '' : `, or STOP_TIMEOUT to at most ${Math.floor(budgetMs)}ms`;
  const cures = `set kill_timeout to at least ${neededMs}${ownLimit}`;
  return `A stop may take only ${whole} (${shares}), because pm2 kills after ${durationInWords(killAfterMs)}: ${cures}`;
}

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

/** What a hook threw, where the line has named the hook already. */
function thrownBy(error: LastcallError): string {
  const { code, cause, message } = error;
  return code === 'HOOK_FAILED' && cause !== undefined ? errorFields(cause).message : message;
}

function within(limitMs: number): string {
  return Number.isFinite(limitMs) ? `, within ${durationInWords(limitMs)}` : '';
}
