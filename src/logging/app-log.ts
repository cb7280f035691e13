/** Adapts the log of an embedding program: it gets plain data and errors, with secrets masked, and may fail. */
import { Console } from 'node:console';
import type { HookLog } from '../lifecycle/hook.js';
import { tryOr } from '../thrown.js';
import { type AppEvent, appEvent } from './app-event.js';
import { errorText } from './error-fields.js';
import { forgiving, presentable } from './event-listeners.js';
import type { Level } from './events/row.js';
import type { RunLogging } from './logger.js';
import { createRedactor } from './redact.js';

/** A log for the run to write to, such as a pino logger, the logger of a fastify server, or `console`. */
export interface AppLog extends HookLog {
  /** Creates the log of a hook. Without it, hooks write to the log itself. */
  child?(bindings: { readonly hook: string }): HookLog;
  /** Whether lines of the level are written. Without it, all levels count as enabled. */
  isLevelEnabled?(level: string): boolean;
}

const silentLog: AppLog = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false };

/**
 * Adapts a log. Masks secrets in the lines of lastcall itself, but not in the lines of hooks. Errors of the log are ignored,
 * also in hooks.
 *
 * @param onEvent is told of all events, also of those whose level the log leaves out. Its errors are ignored.
 */
export function adaptLog(given: AppLog = silentLog, onEvent?: (event: AppEvent) => unknown): RunLogging {
  const { redact, ...secrets } = createRedactor();
  const own = forgivingLog(given);
  const write = (level: Level) => (fields: object, message: string) =>
    forgiving(() => {
      const line = presentable(fields, redact);
      const words = redact(message);
      own[level](line, words);
      const event = onEvent && appEvent(level, line, words);
      return event && onEvent(event);
    });
  const log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    isLevelEnabled: (level: Level) =>
      onEvent !== undefined || tryOr(() => given.isLevelEnabled?.(level) ?? true, true),
    child: (bindings: { readonly hook: string }) =>
      forgivingLog(tryOr(() => given.child?.(bindings) ?? given, given)),
  };
  return {
    log,
    eventLog: log,
    receiptLog: log,
    ...secrets,
    redact,
    errorText: (error) => redact(errorText(error)),
    isWritten: true,
    isBroken: false,
    async flush() {},
  };
}

/** Returns a log that calls the given one and ignores its errors. A console gets its arguments in a console's order. */
function forgivingLog(given: HookLog): HookLog {
  const write = (level: Level) => (fields: object, message?: string) =>
    forgiving(() =>
      given instanceof Console
        ? given[level](...consoleArguments(fields, message))
        : given[level](fields, message),
    );
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** The words come first, and an error last, since a console prints its stack over several lines. */
function consoleArguments(fields: object, message: string | undefined): unknown[] {
  const { err, ...others }: { err?: unknown } = { ...fields };
  return [message, Object.keys(others).length > 0 ? others : undefined, err].filter(
    (argument) => argument !== undefined,
  );
}
