/** Changes the level of a log while the run goes on, for a time. Logs made of it follow, unless they have a level of their own. */
import type { Clock } from '../clock.js';

export class RuntimeLevel {
  readonly #log: { level: string };
  /** The level of the settings, while another one is in force. */
  #usual: string | undefined;
  #cancel = () => {};

  constructor(log: { level: string }) {
    this.#log = log;
  }

  /** Changes the level; after `forMs`, the usual one is in force again, and `restored` is called with it. */
  change(level: string, forMs: number, clock: Clock, restored: (level: string) => void): void {
    this.#cancel();
    const usual = this.#usual ?? this.#log.level;
    this.#usual = usual;
    this.#log.level = level;
    this.#cancel = clock.after(forMs, () => {
      this.#log.level = usual;
      this.#usual = undefined;
      restored(usual);
    });
  }
}
