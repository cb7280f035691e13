/** The log lines of lifecycle and hook events. */
import type { LastcallError } from '../../errors.js';
import type { BudgetEvent } from '../../host/events.js';
import type { LifecycleEvent } from '../../lifecycle/events.js';
import type { StopReason } from '../../lifecycle/stop-reason.js';
import { durationInWords } from '../../words.js';
import { errorFields, ToldError } from '../error-fields.js';
import type { Level, Rows } from './row.js';

export const lifecycleEvents: Rows<LifecycleEvent | BudgetEvent> = {
  'lifecycle.starting': {
    level: 'info',
    means: 'the run begins',
    message: () => 'Starting',
  },
  'lifecycle.budget': {
    level: 'info',
    means:
      'how long a stop may take: `drainMs` for the drain, `hooksMs` for the hooks after it; a warning if pm2 or the container would kill before `STOP_TIMEOUT`',
    message: budgetInWords,
    levelOf: ({ cutShort }) => (cutShort ? 'warn' : 'info'),
    fields: ({ cutShort, ...rest }) => ({ ...rest, ...cutShort }),
  },
  'lifecycle.running': {
    level: 'info',
    means: 'everything has started',
    message: ({ durationMs }) => `Running after a start of ${durationInWords(durationMs)}`,
  },
  'lifecycle.stopping': {
    level: 'info',
    means: 'the stop begins; `reason` says why',
    message: ({ reason, budgetMs }) => {
      const why = reason.kind === 'start-failed' ? 'the start failed' : reason.message;
      return `Stopping (${why})${within(budgetMs)}`;
    },
    levelOf: ({ reason }) => levelOfReason(reason),
    fields: ({ reason, budgetMs }) => ({
      // The line before this one has told the error, and the receipt will have its message as the reason.
      ...(reason.kind === 'start-failed'
        ? { reason: 'the start failed', reasonKind: reason.kind }
        : reasonFields(reason, 'new')),
      budgetMs,
    }),
  },
  'lifecycle.stop-repeated': {
    level: 'info',
    means: 'a stop was requested again; the first reason stays',
    message: ({ reason }) => `Stop requested again (${reason.message})`,
    levelOf: ({ reason }) => levelOfReason(reason),
    fields: ({ reason }) => reasonFields(reason, 'new'),
  },
  'lifecycle.hastened': {
    level: 'warn',
    means: 'a second signal: running handlers are aborted, each hook gets `limitMs`',
    message: ({ limitMs }) =>
      `Shortening the stop: running handlers are aborted, each hook gets ${durationInWords(limitMs)}`,
  },
  'lifecycle.stopped': {
    level: 'info',
    means:
      'the receipt, the last line: `reason`, `outcome`, `exitCode`, `phases`, `counts`; `failedBots` if bots had ended while others went on',
    message: () => 'Stopped',
  },
  'hook.starting': {
    level: 'info',
    means: 'a hook begins to start',
    message: ({ hook, limitMs }) => `${hook}: starting${within(limitMs)}`,
  },
  'hook.started': {
    level: 'info',
    means: 'a hook has started',
    message: ({ hook, durationMs }) => `${hook}: started in ${durationInWords(durationMs)}`,
  },
  'hook.called-off': {
    level: 'info',
    means: 'the start of a hook gave up because a stop was requested',
    message: ({ hook, durationMs }) => `${hook}: start called off after ${durationInWords(durationMs)}`,
  },
  'hook.stopping': {
    level: 'info',
    means: 'a hook begins to stop',
    message: ({ hook, limitMs }) => `${hook}: stopping${within(limitMs)}`,
  },
  'hook.stopped': {
    level: 'info',
    means: 'a hook has stopped',
    message: ({ hook, durationMs }) => `${hook}: stopped in ${durationInWords(durationMs)}`,
  },
  'hook.failed': {
    level: 'error',
    means: 'the `step` (start or stop) of a hook threw',
    message: ({ hook, step, durationMs, error }) =>
      `${hook}: ${step} failed after ${durationInWords(durationMs)}: ${thrownBy(error)}`,
  },
  'hook.cut': {
    level: 'error',
    means: 'the `step` (start or stop) of a hook did not end in time',
    message: ({ hook, step, durationMs }) => `${hook}: ${step} cut off after ${durationInWords(durationMs)}`,
  },
};

/** Returns the fields of a log line for a stop reason. Its error has a stack only in the first line that tells it. */
export function reasonFields({ kind, message, cause }: StopReason, error: 'new' | 'told'): object {
  const shown = error === 'new' ? cause : new ToldError(cause);
  return { reason: message, reasonKind: kind, ...(cause !== undefined && { error: shown }) };
}

function levelOfReason({ kind, exitCode }: StopReason): Level {
  return exitCode === 0 || kind === 'aborted' ? 'info' : 'error';
}

function budgetInWords({ budgetMs, drainMs, hooksMs, cutShort }: BudgetEvent): string {
  const [whole, drain, hooks] = [budgetMs, drainMs, hooksMs].map(durationInWords);
  const shares = `the drain ${drain}, the hooks after it ${hooks} plus what the drain leaves`;
  if (!cutShort) return `A stop may take ${whole}: ${shares}`;
  return `A stop may take only ${whole} (${shares}), ${cutShortInWords(budgetMs, cutShort)}`;
}

/** Says why a stop may take less than STOP_TIMEOUT, and what to do. */
export function cutShortInWords(
  budgetMs: number,
  { killAfterMs, neededMs, by }: NonNullable<BudgetEvent['cutShort']>,
): string {
  const ownLimit = budgetMs < 1 ? '' : `, or STOP_TIMEOUT to at most ${Math.floor(budgetMs)}ms`;
  if (by !== 'container')
    return `because pm2 kills after ${durationInWords(killAfterMs)}: set kill_timeout to at least ${neededMs}${ownLimit}`;
  return `because a container is killed ${durationInWords(killAfterMs)} after SIGTERM unless LASTCALL_GRACE says otherwise: set stop_grace_period (Docker) or terminationGracePeriodSeconds (Kubernetes) to at least ${Math.ceil(neededMs / 1_000)} s, and LASTCALL_GRACE to the same${ownLimit}`;
}

/** Returns the message of the error that a hook threw, without the hook's name, which the line has already. */
function thrownBy(error: LastcallError): string {
  const { code, cause, message } = error;
  return code === 'HOOK_FAILED' && cause !== undefined ? errorFields(cause).message : message;
}

function within(limitMs: number): string {
  return Number.isFinite(limitMs) ? `, within ${durationInWords(limitMs)}` : '';
}
