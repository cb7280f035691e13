/** The adapter to pino. Lines are written before the call returns, contain no secret, and are JSON or text for people. */

import { type Logger, pino } from 'pino';
import type { HookLog } from '../lifecycle/hook.js';
import { wantsColour } from './colour.js';
import { errorFields, errorFieldsOrValue, errorText } from './error-fields.js';
import { type EventListener, EventListeners } from './event-listeners.js';
import { type EventLog, logEvent } from './events.js';
import { isJournald, levelOf, withPriority } from './journald.js';
import { ignoreErrors, LogStream, type Output } from './log-stream.js';
import { createRedactor, type Redactor } from './redact.js';
import { RuntimeLevel } from './runtime-level.js';

export type { Logger } from 'pino';

/** The log of a run. */
export interface RunLogging extends Redactor {
  readonly log: EventLog & { child(bindings: { readonly hook: string }): HookLog };
  /** Where events are written, and told to listeners. */
  readonly eventLog: EventLog;
  /** The log for the receipt, which is written at any LOG_LEVEL except `silent`. */
  readonly receiptLog: EventLog;
  /** Returns an error's stack, or else its type and message, with secrets masked. */
  errorText(error: unknown): string;
  /** Changes the level while the run goes on; absent where the log is not lastcall's. */
  readonly level?: RuntimeLevel;
  /** Whether every line is written or has failed, so that the process may end. */
  readonly isWritten: boolean;
  /** Whether the log has lost its reader, so that nobody gets what is written from now on. */
  readonly isBroken: boolean;
  /** Resolves when every line is written or has failed, at the latest after a second or `withinMs`. Call it last. */
  flush(withinMs?: number): Promise<void>;
}

export interface Logging extends RunLogging {
  readonly log: Logger;
  /** Listens to the events of the run from now on. */
  onEvent(listener: EventListener): void;
}

export interface LoggingOptions {
  readonly config: {
    readonly logLevel: string;
    /** `auto` is pretty on a terminal, otherwise JSON. */
    readonly logFormat: 'auto' | 'json' | 'pretty';
  };
  readonly secrets: readonly string[];
  readonly process: {
    readonly pid: number;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly stdout: Output & { readonly isTTY?: boolean; readonly fd?: number };
    readonly stderr: Pick<Output, 'on'>;
  };
}

/** Sets up the log on stdout. Errors of stdout and stderr are ignored from now on. */
export async function createLogging({ config, secrets, process }: LoggingOptions): Promise<Logging> {
  const { stdout, stderr, env, pid } = process;
  const terminal = stdout.isTTY === true;
  const pretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && terminal);
  const render = pretty ? (await import('./pretty.js')).createPrettifier(wantsColour(env, terminal)) : asItIs;

  const toJournald = stdout.fd !== undefined && isJournald(env, stdout.fd);
  const present = toJournald ? (line: string) => withPriority(levelOf(line), render(line)) : render;

  ignoreErrors(stderr);
  const { addSecret, addPassword, redact } = createRedactor(secrets);
  const stream = new LogStream(stdout, {
    dropped: (lines) => logEvent(eventLog, { event: 'log.dropped', lines }),
  });
  const log = pino(
    {
      level: config.logLevel,
      base: { pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFields, error: errorFieldsOrValue },
    },
    { write: (line: string) => stream.write(present(redact(line))) },
  );
  const receiptLog = config.logLevel === 'silent' ? log : log.child({});
  // A level of its own, whatever that of the log is at the end of the run.
  if (receiptLog !== log) receiptLog.level = 'info';
  const listeners = new EventListeners(redact);
  const eventLog = listeners.listenTo(log);
  return {
    log,
    eventLog,
    receiptLog: listeners.listenTo(receiptLog),
    onEvent: (listener) => listeners.add(listener),
    level: new RuntimeLevel(log),
    addSecret,
    addPassword,
    redact,
    errorText: (error) => redact(errorText(error)),
    get isWritten() {
      return stream.isWritten;
    },
    get isBroken() {
      return stream.isBroken;
    },
    flush: (withinMs) => stream.flush(withinMs),
  };
}

const asItIs = (line: string): string => line;
