/** What the log needs to know of an event. */

export type Level = 'debug' | 'info' | 'warn' | 'error';

export interface Row<Event> {
  readonly level: Level;
  /** When the event happens, in half a sentence for the README. */
  readonly means: string;
  /** Words the event so that it reads well without the fields. Never repeats what people wrote to the bot. */
  message(event: Event): string;
  /** The level of a particular event, where some events of one name matter more than others. */
  levelOf?(event: Event): Level;
  /** The fields of the line, where the event's own properties are not fit for it. */
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
