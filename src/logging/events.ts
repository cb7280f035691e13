/** Events as log lines. Event names are stable, because people build alerts on them. */
import type { DispatchEvent } from '../dispatch/events.js';
import type { HostEvent } from '../host/events.js';
import type { InboxEvent } from '../inbox/events.js';
import type { Entry } from '../inbox/inbox.js';
import type { LifecycleEvent } from '../lifecycle/events.js';
import type { PollingEvent } from '../polling/events.js';
import { dispatchEvents } from './events/dispatch.js';
import { hostEvents } from './events/host.js';
import { inboxEvents } from './events/inbox.js';
import { lifecycleEvents } from './events/lifecycle.js';
import { pollingEvents } from './events/polling.js';
import { type ProgramEvent, programEvents } from './events/program.js';
import type { ByName, Level, Row, Rows } from './events/row.js';
import { lineFields } from './line-fields.js';

export type LoggedEvent =
  | LifecycleEvent
  | PollingEvent
  | InboxEvent
  | DispatchEvent<Entry>
  | HostEvent
  | ProgramEvent;

type Events = ByName<LoggedEvent>;

/** The part of a pino logger that events need. */
export interface EventLog extends Record<Level, (fields: object, message: string) => void> {
  isLevelEnabled(level: Level): boolean;
}

/** The rows in the order of the README. */
export const eventTable: Rows<LoggedEvent> = {
  ...lifecycleEvents,
  ...pollingEvents,
  ...inboxEvents,
  ...dispatchEvents,
  ...hostEvents,
  ...programEvents,
};

/** Writes the event's line, with the context as further fields. Skips `lifecycle.stopped`, whose line is the receipt. */
export function logEvent(log: EventLog, event: LoggedEvent, context?: object): void {
  if (event.event !== 'lifecycle.stopped') writeLine(log, event.event, event, context);
}

function writeLine<K extends keyof Events>(log: EventLog, name: K, event: Events[K], context?: object): void {
  const row: Row<Events[K]> = eventTable[name];
  const level = row.levelOf?.(event) ?? row.level;
  if (!log.isLevelEnabled(level)) return;
  const fields = row.fields?.(event) ?? event;
  log[level](lineFields({ event: name, ...context, ...fields }), row.message(event));
}
