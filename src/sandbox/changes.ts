/** What changes in a sandbox, for those who watch it. Nobody watching costs nothing: the state itself is kept elsewhere. */
import { guarded } from '../listener.js';
import type { LogLine } from './bot-process.js';
import type { Call } from './calls.js';

/** Says where to look again: the state of the sandbox has the news. */
export type Change =
  /** An update has come, or has gone on in its way. */
  | { readonly kind: 'update'; readonly bot: number; readonly id: number }
  /** A message has come, was changed, got a reaction, or was deleted. */
  | { readonly kind: 'message'; readonly bot: number; readonly chat: number; readonly id: number }
  /** A chat's name, members or keyboard have changed. */
  | { readonly kind: 'chat'; readonly bot: number; readonly chat: number }
  /** A call has arrived, or is over. */
  | { readonly kind: 'call'; readonly call: Call }
  /** The bot's process has written a line. */
  | { readonly kind: 'line'; readonly line: LogLine }
  /** Faults, or the process of the bot. */
  | { readonly kind: 'server' };

export type ChangeListener = (change: Change) => void;

export class Changes {
  readonly #listeners = new Set<ChangeListener>();

  /** Whether anybody watches. */
  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls the listener for each change from now on. Its errors are swallowed. Returns a function that ends it. */
  subscribe(listener: ChangeListener): () => void {
    const safe = guarded(listener);
    this.#listeners.add(safe);
    return () => void this.#listeners.delete(safe);
  }

  tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}
