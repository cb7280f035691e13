import type { ByName } from '../../../src/logging/events/row.js';
import { type LoggedEvent, logEvent } from '../../../src/logging/events.js';
import { logInto } from '../logging.js';
import { MemoryOutput } from '../memory-output.js';

/** One of each event, with the level and the message that its line should have. */
export type Samples<Event extends LoggedEvent> = {
  readonly [Name in keyof ByName<Event>]: readonly [ByName<Event>[Name], level: string, message: string];
};

/** The line that an event comes to, or undefined if there is none. */
export async function lineOf(event: LoggedEvent, context?: object, level = 'debug') {
  const output = new MemoryOutput();
  const { log } = await logInto(output, { level });
  logEvent(log, event, context);
  return output.lines[0];
}
