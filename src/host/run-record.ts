/** The record that a run keeps on disk for the next run: its phase, and whether it ended by itself. */
import { isObject, parseJson } from '../json.js';

/**
 * The phases of a run:
 * - `starting`, `stopping`: a hook is starting or stopping
 * - `draining`: from the stop request until all handlers have ended
 * - `stopped`: the run ended by itself, with any exit code
 */
const runPhases = ['starting', 'running', 'draining', 'stopping', 'stopped'] as const;
export type RunPhase = (typeof runPhases)[number];

const supervisorKinds = ['systemd', 'pm2', 'container', 'none'] as const;
export type SupervisorKind = (typeof supervisorKinds)[number];

/** What the receipt of a run says. */
export interface Receipt {
  readonly reason: string;
  /** `clean`, `cut` or `fault`. */
  readonly outcome: string;
  /** The numbers of updates that the run has fetched, handled and left. */
  readonly counts: Readonly<Record<string, number | undefined>>;
  /** All of it in words. */
  readonly words: string;
}

/** All times are in milliseconds since 1970. */
export interface RunRecord {
  readonly phase: RunPhase;
  /** The hook that is starting or stopping. */
  readonly hook?: string | undefined;
  /** When the phase began. */
  readonly sinceMs: number;
  readonly pid: number;
  /** Where the process ran, as far as the bot's lock reaches. Records of former versions have none. */
  readonly place?: string | undefined;
  /** The id of the machine's boot, which changes when the machine restarts. */
  readonly bootId?: string | undefined;
  readonly exitCode?: number | undefined;
  /** The receipt, if the log could not take it any more. */
  readonly receipt?: Receipt | undefined;
  readonly supervisor: SupervisorKind;
  /** Whether Telegram has ever answered a poll of the bot, in this run or an earlier one: its token was valid then. */
  readonly hasPolled?: boolean | undefined;
  /** How long after a stop request the supervisor kills, if known. */
  readonly killAfterMs?: number | undefined;
  /** When the stop was requested. */
  readonly stopAskedMs?: number | undefined;
}

/** The name of the record's file in the folder of a bot. */
export const LAST_RUN_FILE = 'last-run.json';

/** Parses the content of a bot's `last-run.json`; returns undefined if it is not valid. */
export function parseRunRecord(text: string): RunRecord | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const phase = runPhases.find((known) => known === value['phase']);
  const supervisor = supervisorKinds.find((known) => known === value['supervisor']);
  const sinceMs = numberIn(value['sinceMs']);
  const pid = numberIn(value['pid']);
  if (!phase || !supervisor || sinceMs === undefined || pid === undefined) return undefined;
  return {
    phase,
    hook: stringIn(value['hook']),
    sinceMs,
    pid,
    place: stringIn(value['place']),
    bootId: stringIn(value['bootId']),
    exitCode: numberIn(value['exitCode']),
    receipt: parseReceipt(value['receipt']),
    supervisor,
    hasPolled: value['hasPolled'] === true || undefined,
    killAfterMs: numberIn(value['killAfterMs']),
    stopAskedMs: numberIn(value['stopAskedMs']),
  };
}

function parseReceipt(value: unknown): Receipt | undefined {
  if (!isObject(value)) return undefined;
  const reason = stringIn(value['reason']);
  const outcome = stringIn(value['outcome']);
  const words = stringIn(value['words']);
  if (reason === undefined || outcome === undefined || words === undefined) return undefined;
  const counts = Object.entries(isObject(value['counts']) ? value['counts'] : {}).flatMap(
    ([name, number]) => {
      const known = numberIn(number);
      return known === undefined ? [] : [[name, known] as const];
    },
  );
  return { reason, outcome, counts: Object.fromEntries(counts), words };
}

const numberIn = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

const stringIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
