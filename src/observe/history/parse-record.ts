/** Reads records back. A record of another version of lastcall, or one that a kill has cut off, is left out. */
import { isObject, parseJson } from '../../json.js';
import type {
  BegunRecord,
  EndedRecord,
  HandlerSample,
  HistoryRecord,
  PreviousEnd,
  StateRecord,
  StepRecord,
} from './record.js';

type Fields = Readonly<Record<string, unknown>>;

const states = ['connecting', 'polling', 'standing-by', 'hindered', 'ended'] as const;
const outcomes = ['clean', 'cut', 'fault'] as const;
const results = ['done', 'called-off', 'failed', 'cut'] as const;
const steps = ['start', 'stop'] as const;
const phases = ['starting', 'running', 'draining', 'stopping', 'stopped'] as const;
const reasonKinds = [
  'signal',
  'request',
  'message',
  'supervisor-gone',
  'stop-after',
  'aborted',
  'start-failed',
  'fatal',
  'fault',
  'bot-ended',
] as const satisfies readonly EndedRecord['reasonKind'][];

/** Returns undefined where the line is no record that this version knows. */
export function parseRecord(line: string): HistoryRecord | undefined {
  const value = parseJson(line);
  if (!isObject(value)) return undefined;
  const { run, atMs } = value;
  if (typeof run !== 'string' || !isNumber(atMs)) return undefined;
  const ofRun = { run, atMs };
  switch (value['kind']) {
    case 'begun':
      return begun(value, ofRun);
    case 'state': {
      const state = polling(value);
      const { gapMs } = value;
      return state && { kind: 'state', ...ofRun, ...state, ...(isNumber(gapMs) && { gapMs }) };
    }
    case 'sample':
      return sample(value, ofRun);
    case 'stood-still':
      return isNumber(value['ms']) ? { kind: 'stood-still', ...ofRun, ms: value['ms'] } : undefined;
    case 'stopping': {
      const { reason, budgetMs } = value;
      if (!isText(reason) || !isNumber(budgetMs)) return undefined;
      return { kind: 'stopping', ...ofRun, reason, budgetMs };
    }
    case 'ended':
      return ended(value, ofRun);
    default:
      return undefined;
  }
}

interface OfRun {
  readonly run: string;
  readonly atMs: number;
}

function begun(value: Fields, ofRun: OfRun): HistoryRecord | undefined {
  const { pid, place, supervisor } = value;
  if (!isNumber(pid)) return undefined;
  const previous = previousEnd(value['previous']);
  const lastState = stateBefore(value['lastState']);
  return {
    ...{ kind: 'begun', ...ofRun, pid, supervisor: isText(supervisor) ? supervisor : 'none' },
    ...(isText(place) && { place }),
    ...(previous && { previous }),
    ...(lastState && { lastState }),
  };
}

function stateBefore(value: unknown): BegunRecord['lastState'] {
  if (!isObject(value)) return undefined;
  const { atMs } = value;
  const state = polling(value);
  return state && isNumber(atMs) ? { atMs, ...state } : undefined;
}

function polling({ state: its, why, name }: Fields): Pick<StateRecord, 'state' | 'why' | 'name'> | undefined {
  const state = oneOf(states, its);
  return state && { state, ...(isText(why) && { why }), ...(isText(name) && { name }) };
}

function previousEnd(value: unknown): PreviousEnd | undefined {
  if (!isObject(value)) return undefined;
  const { pid, hook, sinceMs, exitCode, killed } = value;
  const phase = oneOf(phases, value['phase']);
  if (!isNumber(pid) || !isNumber(sinceMs) || !phase) return undefined;
  return {
    ...{ pid, phase, sinceMs },
    ...(isText(hook) && { hook }),
    ...(isNumber(exitCode) && { exitCode }),
    ...(isObject(killed) && {
      killed: {
        machineRestarted: killed['machineRestarted'] === true,
        advice: isText(killed['advice']) ? killed['advice'] : '',
      },
    }),
  };
}

function sample(value: Fields, ofRun: OfRun): HistoryRecord | undefined {
  const state = oneOf(states, value['state']);
  const { waiting, running, handled, failed, oldestMs } = value;
  if (!state || !isNumber(waiting) || !isNumber(running)) return undefined;
  if (!isNumber(handled) || !isNumber(failed)) return undefined;
  const handlers = handlerSample(value['handlers']);
  return {
    ...{ kind: 'sample', ...ofRun, state, waiting, running, handled, failed },
    ...(isNumber(oldestMs) && { oldestMs }),
    ...(handlers && { handlers }),
  };
}

function handlerSample(value: unknown): HandlerSample | undefined {
  if (!isObject(value)) return undefined;
  const { count, medianMs, p99Ms } = value;
  return isNumber(count) && isNumber(medianMs) && isNumber(p99Ms) ? { count, medianMs, p99Ms } : undefined;
}

function ended(value: Fields, ofRun: OfRun): HistoryRecord | undefined {
  const { reason, exitCode, upMs, stopMs, counts } = value;
  const outcome = oneOf(outcomes, value['outcome']);
  const reasonKind = oneOf(reasonKinds, value['reasonKind']);
  if (!isText(reason) || !reasonKind || !outcome) return undefined;
  if (!isNumber(exitCode) || !isNumber(upMs) || !isNumber(stopMs)) return undefined;
  const list: readonly unknown[] = Array.isArray(value['steps']) ? value['steps'] : [];
  const numbers = Object.entries(isObject(counts) ? counts : {}).flatMap(([name, number]) =>
    isNumber(number) ? [[name, number] as const] : [],
  );
  return {
    ...{ kind: 'ended', ...ofRun, reason, reasonKind, outcome, exitCode, upMs, stopMs },
    ...{ steps: list.flatMap((item) => step(item) ?? []), counts: Object.fromEntries(numbers) },
  };
}

function step(value: unknown): StepRecord | undefined {
  if (!isObject(value)) return undefined;
  const { hook, afterMs, durationMs, limitMs, error } = value;
  const which = oneOf(steps, value['step']);
  const result = oneOf(results, value['result']);
  if (!isText(hook) || !which || !result || !isNumber(afterMs) || !isNumber(durationMs)) return undefined;
  return {
    ...{ hook, step: which, result, afterMs, durationMs },
    ...(isNumber(limitMs) && { limitMs }),
    ...(isText(error) && { error }),
  };
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const oneOf = <T extends string>(known: readonly T[], value: unknown): T | undefined =>
  known.find((one) => one === value);
