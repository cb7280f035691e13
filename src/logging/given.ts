/**
 * A log that the program around lastcall brings along. It knows neither our errors nor what is secret, so lines reach
 * it as plain data, with both taken care of.
 */
import type { HookLog } from '../lifecycle/hook.js';
import { errorFieldsOrValue, errorText } from './error-fields.js';
import type { Level } from './events.js';
import type { RunLogging } from './logger.js';
import { createRedactor } from './redact.js';

/** Where a run is to log: a pino logger fits, so does a server's that is made of one, and even `console`. */
export interface AppLog extends HookLog {
  /** Without it, hooks write to the log itself. */
  child?(bindings: { readonly hook: string }): HookLog;
  /** Without it, all levels count as on. */
  isLevelEnabled?(level: string): boolean;
}

const silentLog: AppLog = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false };

/** Secrets are masked in what lastcall itself writes; what hooks write is their own affair. */
export function givenLogging(given: AppLog = silentLog): RunLogging {
  const redactor = createRedactor();
  const plain = (fields: object): object => {
    const entries = Object.entries(fields).map(([name, value]) => [name, errorFieldsOrValue(value)]);
    return JSON.parse(redactor.redact(JSON.stringify(Object.fromEntries(entries))));
  };
  const write = (level: Level) => (fields: object, message: string) =>
    given[level](plain(fields), redactor.redact(message));

  const log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    isLevelEnabled: (level: Level) => given.isLevelEnabled?.(level) ?? true,
    child: (bindings: { readonly hook: string }) => given.child?.(bindings) ?? given,
  };
  return {
    log,
    receiptLog: log,
    addSecret: (secret) => redactor.add(secret),
    redact: (text) => redactor.redact(text),
    errorText: (error) => redactor.redact(errorText(error)),
    async flush() {},
  };
}
