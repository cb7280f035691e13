/** Tells listeners what lastcall writes to its log, as events. */
import type { AppEvent } from './app-event.js';
import { appEvent } from './app-event.js';
import { errorFields, errorFieldsOrValue } from './error-fields.js';
import type { Level } from './events/row.js';
import type { EventLog } from './events.js';
import { loggedError } from './logged-error.js';
import { plainData } from './plain-data.js';

/** Whatever a listener throws, or a promise of it rejects with, is ignored. */
export type EventListener = (event: AppEvent) => unknown;

export class EventListeners {
  readonly #redact: (text: string) => string;
  readonly #listeners = new Set<EventListener>();

  /** @param redact masks secrets */
  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** Listens to all events from now on, also to those whose level the log leaves out. */
  add(listener: EventListener): void {
    this.#listeners.add(listener);
  }

  /** Returns a log that writes to the given one, and tells the listeners. */
  listenTo(log: EventLog): EventLog {
    const write = (level: Level) => (fields: object, message: string) => {
      if (log.isLevelEnabled(level)) log[level](fields, message);
      this.#tell(level, fields, message);
    };
    return {
      isLevelEnabled: (level) => this.#listeners.size > 0 || log.isLevelEnabled(level),
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    };
  }

  #tell(level: Level, fields: object, message: string): void {
    if (this.#listeners.size === 0) return;
    const event = appEvent(level, presentable(fields, this.#redact), this.#redact(message));
    if (event) for (const listener of this.#listeners) forgiving(() => listener(event));
  }
}

/** Returns the fields of a line as plain data and errors, with secrets masked. */
export function presentable(fields: object, redact: (text: string) => string): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) =>
      name === 'err'
        ? [name, loggedError(errorFields(value), redact)]
        : [redact(name), plainData(errorFieldsOrValue(value), redact)],
    ),
  );
}

/** Calls code of the program, and ignores its errors: what it throws, and what a promise of it rejects with. */
export function forgiving(call: () => unknown): void {
  const calling = async () => call();
  calling().catch(() => {});
}
