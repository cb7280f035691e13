/** What a run leaves on disk about itself, for the next one: where it is, and whether it ended by itself. */

/**
 * - `starting`, `stopping`: in a hook, which is named
 * - `draining`: from the moment the stop is asked until running handlers have ended
 * - `stopped`: it ended by itself, in whatever way
 */
const runPhases = ['starting', 'running', 'draining', 'stopping', 'stopped'] as const;
export type RunPhase = (typeof runPhases)[number];

const supervisorKinds = ['systemd', 'pm2', 'none'] as const;
export type SupervisorKind = (typeof supervisorKinds)[number];

export interface RunState {
  readonly phase: RunPhase;
  /** The hook that starts or stops. */
  readonly hook?: string;
  /** When the phase began; milliseconds since 1970, as all times here. */
  readonly sinceMs: number;
  readonly pid: number;
  /** Another one now: the machine has been restarted since. */
  readonly bootId?: string;
  readonly exitCode?: number;
  readonly supervisor: SupervisorKind;
  /** What the stop was given. */
  readonly budgetMs: number;
  /** When the supervisor kills, counted from the moment it asks for the stop; where it says so. */
  readonly killAfterMs?: number;
  /** When the stop was asked. */
  readonly stopAskedMs?: number;
}

/** Undefined where the text is no such state, whole and sound. */
export function parseRunState(text: string): RunState | undefined {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const field = (name: keyof RunState): unknown => Reflect.get(value, name);

  const phase = runPhases.find((known) => known === field('phase'));
  const supervisor = supervisorKinds.find((known) => known === field('supervisor'));
  const [sinceMs, pid, budgetMs] = [
    number(field('sinceMs')),
    number(field('pid')),
    number(field('budgetMs')),
  ];
  if (!phase || !supervisor || sinceMs === undefined || pid === undefined || budgetMs === undefined)
    return undefined;
  const [hook, bootId] = [string(field('hook')), string(field('bootId'))];
  const [exitCode, killAfterMs] = [number(field('exitCode')), number(field('killAfterMs'))];
  const stopAskedMs = number(field('stopAskedMs'));
  return {
    phase,
    sinceMs,
    pid,
    supervisor,
    budgetMs,
    ...(hook !== undefined && { hook }),
    ...(bootId !== undefined && { bootId }),
    ...(exitCode !== undefined && { exitCode }),
    ...(killAfterMs !== undefined && { killAfterMs }),
    ...(stopAskedMs !== undefined && { stopAskedMs }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
