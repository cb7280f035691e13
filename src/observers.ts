/** Tells each event of a run to all who observe it. An error of one of them reaches neither the others nor the run. */
import { guarded } from './listener.js';
import type { ObservedEvent } from './observe/events.js';

export interface Observer {
  /** @param botId the bot whose pipeline has emitted the event; undefined for events of the run */
  observe(event: ObservedEvent, botId?: number): void;
}

export class Observers {
  readonly #listeners: ((event: ObservedEvent, botId?: number) => void)[] = [];

  /** Adds observers, who are told of each event in this order. */
  add(...observers: readonly Observer[]): void {
    for (const observer of observers)
      this.#listeners.push(guarded((event, botId) => observer.observe(event, botId)));
  }

  tell(event: ObservedEvent, botId?: number): void {
    for (const listener of this.#listeners) listener(event, botId);
  }
}
