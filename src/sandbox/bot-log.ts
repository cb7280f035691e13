/** The newest lines of the log of the bot's process, with bot tokens masked. */
import { maskTokens } from '../token.js';
import type { LogLine } from './bot-process.js';

/** The number of newest lines that are kept, and at most twice as many. */
const LIMIT = 1_000;
/** The longest line that is kept whole, in characters. */
const MAX_LENGTH = 8_000;

export class BotLog {
  readonly #now: () => number;
  #lines: LogLine[] = [];
  #total = 0;
  readonly #listeners = new Set<(line: LogLine) => void>();

  /** @param now the time by the system's clock, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Keeps a line, which is cut where it is very long. */
  add({ text: written, ...line }: Omit<LogLine, 'number' | 'atMs'>): void {
    const text = maskTokens(written);
    const kept: LogLine = {
      ...line,
      text: text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text,
      number: ++this.#total,
      atMs: this.#now(),
    };
    this.#lines.push(kept);
    if (this.#lines.length >= 2 * LIMIT) this.#lines = this.#lines.slice(-LIMIT);
    for (const listener of this.#listeners) listener(kept);
  }

  /** Oldest first. */
  get lines(): readonly LogLine[] {
    return this.#lines.slice(-LIMIT);
  }

  onLine(listener: (line: LogLine) => void): void {
    this.#listeners.add(listener);
  }
}
