/** Inboxes on a real database, each like a process of its own. */
import { onAbort } from '../../../src/abort.js';
import type { Connect, Connection } from '../../../src/inbox/postgres/connection.js';
import { createDriver } from '../../../src/inbox/postgres/pg.js';

/** The connections of one process: they can be cut, as if it had been killed, and it is known whether any is at work. */
export class ProcessLink {
  readonly #url: string;
  readonly #connections = new Set<Connection>();
  #atWork = 0;
  #done = 0;
  #isKilled = false;
  #isHeld = false;
  #losesAnswerTo: string | undefined;
  #standsStillAfter: string | undefined;
  #standsStillBefore: string | undefined;
  #cutUntil = 0;
  readonly #held: (() => void)[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  /** How many statements have ended. */
  get done(): number {
    return this.#done;
  }

  get isAtWork(): boolean {
    return this.#atWork > 0;
  }

  /** What is asked from now on comes to the database only with `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const go of this.#held.splice(0)) go();
  }

  readonly createDriver = async (): Promise<Connect> => {
    const connect = await createDriver(this.#url);
    return async (listener, signal) => {
      if (this.#isKilled || Date.now() < this.#cutUntil)
        throw Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' });
      const connection = await this.#count(() => connect(listener, signal));
      const destroyed = new AbortController();
      this.#connections.add(connection);
      return {
        run: (statement) =>
          this.#count(async () => {
            if (this.#standsStillBefore !== undefined && statement.name === this.#standsStillBefore) {
              this.#standsStillBefore = undefined;
              this.hold();
            }
            if (this.#isHeld) await this.#released(destroyed.signal);
            const rows = await connection.run(statement);
            if (this.#losesAnswerTo !== undefined && statement.name === this.#losesAnswerTo) {
              this.#losesAnswerTo = undefined;
              connection.destroy();
              throw Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' });
            }
            if (this.#standsStillAfter !== undefined && statement.name === this.#standsStillAfter) {
              this.#standsStillAfter = undefined;
              this.hold();
              await this.#released(destroyed.signal);
            }
            return rows;
          }),
        end: () => connection.end(),
        destroy: () => {
          connection.destroy();
          destroyed.abort(Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' }));
        },
      };
    };
  };

  /** The next statement of this name is carried out, and the connection lost before its answer comes. */
  loseAnswer(name: string): void {
    this.#losesAnswerTo = `lastcall_${name}`;
  }

  /** As {@link hold}, once the next statement of this name is carried out. */
  holdAfter(name: string): void {
    this.#standsStillAfter = `lastcall_${name}`;
  }

  /** As {@link hold}, from the next statement of this name on. */
  holdBefore(name: string): void {
    this.#standsStillBefore = `lastcall_${name}`;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** No connection lasts, or can be made, for so long. */
  cutFor(ms: number): void {
    this.#cutUntil = Date.now() + ms;
    this.cut();
  }

  kill(): void {
    this.#isKilled = true;
    this.cut();
  }

  /** Cuts the connections that there are. */
  cut(): void {
    for (const connection of this.#connections) connection.destroy();
    this.#connections.clear();
  }

  #released(destroyed: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#held.push(resolve);
      onAbort(destroyed, () => reject(destroyed.reason));
    });
  }

  async #count<T>(work: () => Promise<T>): Promise<T> {
    this.#atWork++;
    try {
      return await work();
    } finally {
      this.#atWork--;
      this.#done++;
    }
  }
}
