/** The answers to those who watch over the process: whether it makes progress, and whether the bots are at their work. */
import type { StatusReport } from '../status/report.js';

export interface Check {
  readonly passes: boolean;
  /** A line for people. */
  readonly text: string;
}

/** Whether the run makes progress, by the rule of the systemd watchdog. A network that is down is no reason for a restart. */
export const liveness = (isStalled: boolean): Check =>
  isStalled
    ? { passes: false, text: 'stalled: a step of the run should have ended long ago' }
    : { passes: true, text: 'alive' };

/**
 * Whether at least one bot is polled, or stands by, or has handlers at work. Never in a stop, and in a start only while that
 * waits for another process to give the bot up, which may take for ever.
 */
export function readiness(phase: StatusReport['phase'], reports: readonly StatusReport[]): Check {
  const standsBy = phase === 'starting' && reports.some(({ polling }) => polling.state === 'standing-by');
  if (phase !== 'running' && !standsBy) return { passes: false, text: `not ready: ${phase}` };
  const words = reports.map((report) => `bot ${report.bot}: ${inWords(report)}`).join(', ') || 'no bot';
  const passes = reports.some(isAtWork);
  return { passes, text: passes ? `ready: ${words}` : `not ready: ${words}` };
}

const isAtWork = ({ polling: { state }, counts }: StatusReport): boolean =>
  state === 'polling' || state === 'standing-by' || counts.running > 0;

function inWords({ polling: { state, why }, counts }: StatusReport): string {
  const handlers = counts.running > 0 ? `, ${counts.running} running` : '';
  return `${state === 'hindered' && why !== undefined ? why : state}${handlers}`;
}
