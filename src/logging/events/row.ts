/** The row of an event in the table of log lines: its level, meaning, message and fields. */

export type Level = 'debug' | 'info' | 'warn' | 'error';

export interface Row<Event> {
  readonly level: Level;
  /** When the event happens, as part of a sentence for the README. */
  readonly means: string;
  /** Returns a message that can be understood without the fields. It never contains what people wrote to the bot. */
  message(event: Event): string;
  /** Returns the level of a particular event, if not all events of this name have the same level. */
  levelOf?(event: Event): Level;
  /** Returns the fields of the line. Default: the properties of the event. */
  fields?(event: Event): object;
}

/** The events of a union by their names. */
export type ByName<Event extends { readonly event: string }> = {
  readonly [E in Event as E['event']]: E;
};

/** One row for each event of a union. */
export type Rows<Event extends { readonly event: string }> = {
  readonly [Name in keyof ByName<Event>]: Row<ByName<Event>[Name]>;
};
