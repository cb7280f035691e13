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
  readonly supervisor: SupervisorKind;
  /** Whether Telegram has ever answered a poll of the bot, in this run or an earlier one: its token was valid then. */
  readonly hasPolled?: boolean | undefined;
  /** How long after a stop request the supervisor kills, if known. */
  readonly killAfterMs?: number | undefined;
  /** When the stop was requested. */
  readonly stopAskedMs?: number | undefined;
}

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
    supervisor,
    hasPolled: value['hasPolled'] === true || undefined,
    killAfterMs: numberIn(value['killAfterMs']),
    stopAskedMs: numberIn(value['stopAskedMs']),
  };
}

const numberIn = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

const stringIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
