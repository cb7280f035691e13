/** The events of a run for an embedding program: each is what a line of the log tells, as data. */
import { isObject } from '../json.js';
import type { Level } from './events/row.js';
import { eventTable, type LoggedEvent } from './events.js';

/** The names of the events, which the README explains. They are stable. */
export type AppEventName = LoggedEvent['event'];

/** An event of a run. Contains no secret, and nothing that people wrote to the bot. */
export interface AppEvent {
  readonly event: AppEventName;
  /** The level that the event has in the log; an event that is only for debugging is told as well. */
  readonly level: Level;
  /** The event in words. */
  readonly message: string;
  /** The id of the bot, if the event is one of a particular bot. */
  readonly bot?: number;
  /** What else the log line contains. An error is in `err`; times end in `Ms`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reads a log line as an event; undefined if the line is none. */
export function appEvent(level: Level, line: object, message: string): AppEvent | undefined {
  if (!isObject(line)) return undefined;
  const { event, bot, ...fields } = line;
  if (!isEventName(event)) return undefined;
  return { event, level, message, ...(typeof bot === 'number' && { bot }), fields };
}

function isEventName(name: unknown): name is AppEventName {
  return typeof name === 'string' && Object.hasOwn(eventTable, name);
}
