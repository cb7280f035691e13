/** What a run says of one of its bots on the status socket, as JSON. All times are durations in milliseconds. */
import type { CurrentJam } from '../../dispatch/jam-watch.js';
import { isObject } from '../../json.js';
import type { HandlerTimesSummary } from '../handler-times.js';

/**
 * - `connecting`: Telegram has not answered a poll yet
 * - `polling`: Telegram answers
 * - `standing-by`: another process runs the bot
 * - `hindered`: something keeps the bot from polling; `why` names it
 * - `ended`: the bot is polled no longer, while the run goes on
 */
export const pollingStates = ['connecting', 'polling', 'standing-by', 'hindered', 'ended'] as const;

export interface PollingStatus {
  readonly state: (typeof pollingStates)[number];
  /** How long that has been so, if known. */
  readonly forMs?: number;
  readonly why?: string;
  /** What the system or Telegram has said. */
  readonly detail?: string;
  /** The pid of the process that runs the bot while this one stands by, if known. */
  readonly holder?: number;
  readonly lastPoll?: { readonly agoMs: number; readonly updates: number };
  /** How long Telegram may hold a poll open while there is nothing to fetch. */
  readonly pollTimeoutMs: number;
  /** Whether a poll should have been answered by now. */
  readonly isLate: boolean;
}

/** `waiting`, `running` and `dead` are as of now; all others count since the bot was launched. */
const countNames = [
  'waiting',
  'running',
  'handled',
  'caught',
  'failed',
  'timedOut',
  'expired',
  'putBack',
  'dead',
] as const;
type StatusCounts = Readonly<Record<(typeof countNames)[number], number>>;

export interface RunningHandler {
  readonly updateId: number;
  readonly kind: string;
  /** The order key: the chat, unless the bot orders by something else. */
  readonly key: string;
  readonly forMs: number;
}

/** What a stop would take if it was requested now. */
export interface StopForecast {
  /** The time for the whole stop. */
  readonly budgetMs: number;
  /** How long the drain may take. */
  readonly drainMs: number;
  /** When the running handlers have ended or are cut, at the latest; 0 where none runs. */
  readonly handlersMs: number;
}

export const phases = ['starting', 'running', 'stopping'] as const;

export interface StatusReport {
  readonly bot: number;
  /** As people know it: `@my_bot`. Absent until Telegram has told it. */
  readonly name?: string;
  readonly pid: number;
  /** `systemd`, `pm2`, `container` or `none`. */
  readonly supervisor: string;
  /** How long the run has lasted. */
  readonly upMs: number;
  readonly phase: (typeof phases)[number];
  /** The current step of the start or of the stop; `leftMs` is absent where it has no limit. */
  readonly step?: { readonly name: string; readonly leftMs?: number };
  readonly polling: PollingStatus;
  readonly counts: StatusCounts;
  /** Absent if no handler has ended in the last minutes. */
  readonly handlerTimes?: HandlerTimesSummary;
  /** The handlers that have run for longest, at most five. */
  readonly slowest: readonly RunningHandler[];
  /** The chats in which updates wait for long although slots are free. */
  readonly jams: readonly CurrentJam[];
  readonly inbox: {
    readonly kind: 'journal' | 'memory' | 'postgres';
    /** The age of the oldest update that is not settled. */
    readonly oldestMs?: number;
  };
  /** Absent until the start is over. */
  readonly stop?: StopForecast;
}

/**
 * Takes the text of a status socket for a report. Returns undefined if what every report has is not there: another version of
 * lastcall may have written it. What is optional is left out where it has another form.
 */
export function parseReport(value: unknown): StatusReport | undefined {
  if (!isObject(value)) return undefined;
  const phase = phases.find((known) => known === value['phase']);
  const { bot, pid, supervisor, upMs, name } = value;
  const polling = parsePolling(value['polling']);
  const counts = parseCounts(value['counts']);
  const inbox = parseInbox(value['inbox']);
  if (!isNumber(bot) || !isNumber(pid) || !isNumber(upMs) || !isText(supervisor)) return undefined;
  if (!phase || !polling || !counts || !inbox) return undefined;
  const step = parseStep(value['step']);
  const handlerTimes = numbersIn(value['handlerTimes'], ['withinMs', 'count', 'medianMs', 'p99Ms', 'maxMs']);
  const stop = numbersIn(value['stop'], ['budgetMs', 'drainMs', 'handlersMs']);
  return {
    ...{ bot, pid, supervisor, upMs, phase, polling, counts, inbox },
    ...(isText(name) && { name }),
    ...(step && { step }),
    ...(handlerTimes && { handlerTimes }),
    slowest: listOf(value['slowest'], parseHandler),
    jams: listOf(value['jams'], parseJam),
    ...(stop && { stop }),
  };
}

function parsePolling(value: unknown): PollingStatus | undefined {
  if (!isObject(value)) return undefined;
  const state = pollingStates.find((known) => known === value['state']);
  const { forMs, why, detail, holder, pollTimeoutMs, isLate } = value;
  if (!state || !isNumber(pollTimeoutMs)) return undefined;
  const lastPoll = numbersIn(value['lastPoll'], ['agoMs', 'updates']);
  return {
    ...{ state, pollTimeoutMs, isLate: isLate === true },
    ...(isNumber(forMs) && { forMs }),
    ...(isText(why) && { why }),
    ...(isText(detail) && { detail }),
    ...(isNumber(holder) && { holder }),
    ...(lastPoll && { lastPoll }),
  };
}

const parseCounts = (value: unknown): StatusCounts | undefined => numbersIn(value, countNames);

function parseInbox(value: unknown): StatusReport['inbox'] | undefined {
  if (!isObject(value)) return undefined;
  const { kind, oldestMs } = value;
  if (kind !== 'journal' && kind !== 'memory' && kind !== 'postgres') return undefined;
  return { kind, ...(isNumber(oldestMs) && { oldestMs }) };
}

function parseStep(value: unknown): StatusReport['step'] {
  if (!isObject(value) || typeof value['name'] !== 'string') return undefined;
  const { name, leftMs } = value;
  return { name, ...(isNumber(leftMs) && { leftMs }) };
}

function parseHandler(value: unknown): RunningHandler | undefined {
  const numbers = numbersIn(value, ['updateId', 'forMs']);
  const texts = textsIn(value, ['kind', 'key']);
  return numbers && texts && { ...numbers, ...texts };
}

function parseJam(value: unknown): CurrentJam | undefined {
  const numbers = numbersIn(value, ['waiting', 'waitedMs']);
  const texts = textsIn(value, ['key']);
  return numbers && texts && { ...numbers, ...texts };
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === 'string';

function listOf<T>(value: unknown, parse: (item: unknown) => T | undefined): readonly T[] {
  return Array.isArray(value) ? value.flatMap((item) => parse(item) ?? []) : [];
}

const numbersIn = <N extends string>(value: unknown, names: readonly N[]): Record<N, number> | undefined =>
  fieldsIn(value, names, isNumber);

const textsIn = <N extends string>(value: unknown, names: readonly N[]): Record<N, string> | undefined =>
  fieldsIn(value, names, isText);

/** The fields with these names; undefined unless all of them are there and of the type. */
function fieldsIn<N extends string, T>(
  value: unknown,
  names: readonly N[],
  isOfType: (field: unknown) => field is T,
): Record<N, T> | undefined {
  if (!isObject(value)) return undefined;
  const fields: Partial<Record<N, T>> = {};
  for (const name of names) {
    const field = value[name];
    if (!isOfType(field)) return undefined;
    fields[name] = field;
  }
  return fields as Record<N, T>;
}
