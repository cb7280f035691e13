/**
 * Keeps the process alive while lastcall runs. Nothing else of lastcall does for long: its timers and its lock do not, so
 * that Node tells when a bot program, which lastcall runs, has nothing left to do (see `telegraf/takeover/event-loop.ts`).
 */
import timers from 'node:timers';
import { LONGEST_TIMER_MS } from '../clock.js';

// Kept, since an unchanged bot program is given other functions in their place.
const { setInterval, clearInterval } = timers;

export class KeepAlive {
  #interval: NodeJS.Timeout | undefined;

  hold(): void {
    this.#interval ??= setInterval(() => {}, LONGEST_TIMER_MS);
  }

  release(): void {
    clearInterval(this.#interval);
    this.#interval = undefined;
  }
}
