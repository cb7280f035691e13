/** Adapts the log of an embedding program: it gets only plain data, with secrets masked, and may fail. */
import type { HookLog } from '../lifecycle/hook.js';
import { tryOr } from '../thrown.js';
import { errorFieldsOrValue, errorText } from './error-fields.js';
import type { Level } from './events/row.js';
import type { RunLogging } from './logger.js';
import { plainData } from './plain-data.js';
import { createRedactor } from './redact.js';

/** A log for the run to write to, such as a pino logger, the logger of a fastify server, or `console`. */
export interface AppLog extends HookLog {
  /** Creates the log of a hook. Without it, hooks write to the log itself. */
  child?(bindings: { readonly hook: string }): HookLog;
  /** Whether lines of the level are written. Without it, all levels count as enabled. */
  isLevelEnabled?(level: string): boolean;
}

const silentLog: AppLog = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false };

/** Adapts a log. Masks secrets in the lines of lastcall itself, but not in the lines of hooks. */
export function adaptLog(given: AppLog = silentLog): RunLogging {
  const { addSecret, redact } = createRedactor();
  const plain = (fields: object): object =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        redact(name),
        plainData(errorFieldsOrValue(value), redact),
      ]),
    );
  const write = (level: Level) => (fields: object, message: string) => {
    // The log is called in an async function, because it may also fail by a promise that rejects.
    const writing = async () => given[level](plain(fields), redact(message));
    writing().catch(() => {});
  };

  const log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    isLevelEnabled: (level: Level) => tryOr(() => given.isLevelEnabled?.(level) ?? true, true),
    child: (bindings: { readonly hook: string }) => tryOr(() => given.child?.(bindings) ?? given, given),
  };
  return {
    log,
    receiptLog: log,
    addSecret,
    redact,
    errorText: (error) => redact(errorText(error)),
    isWritten: true,
    async flush() {},
  };
}
