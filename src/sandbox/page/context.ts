/** What all parts of the page share: what is known, whom to tell, and what is shown. */
import type { Server } from './server.js';
import type { Store } from './store.js';

export interface Context {
  readonly store: Store;
  readonly server: Server;
  /** The chat that is shown. */
  readonly chat: number | undefined;
  /** The person who writes, presses and votes in it. */
  author: number | undefined;
  showChat(chat: number): void;
  /** Shows the way of an update. */
  showUpdate(id: number): void;
  /** Calls the listener when another chat is shown. */
  onChat(listener: () => void): void;
}
