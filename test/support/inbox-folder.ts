/** An inbox on disk, as a process works with it or has left it. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';
import { botKey } from '../../src/host/bot-key.js';
import { HostLock, lockAddress } from '../../src/host/lock.js';
import { currentPlace } from '../../src/host/place.js';
import type { Entry, Inbox, Settlement } from '../../src/inbox/inbox.js';
import { JournalInbox } from '../../src/inbox/journal/journal-inbox.js';
import type { ViewOptions } from '../../src/inbox/store/view.js';
import { orderKey, updateKind } from '../../src/telegraf/order-key.js';
import { settle } from './fake-clock.js';
import { newBotId } from './token.js';

export interface Update {
  readonly update_id: number;
}

/** A message of this text in this chat. */
export const update = (id: number, chat = 1, text = `text ${id}`) => ({
  update_id: id,
  message: { chat: { id: chat }, text },
});

/** A bot that no other test and no other worker uses, because its lock holds for the whole host. */
export const newBot = (): string => botKey({ testEnv: false, botId: newBotId() });

export interface AtWorkOptions {
  /** Absolute. */
  readonly stateDir: string;
  readonly bot: string;
  /** Default: this host. */
  readonly place?: string;
}

/** A run of the program that works with the inbox and holds the bot's lock. */
export class AtWork {
  readonly id = randomUUID();
  readonly folder: string;
  /** The updates whose handlers have begun, in the order of their beginning. */
  readonly taken: Entry<Update>[] = [];
  #told = () => {};
  readonly #journal: Inbox<Update>;
  readonly #lock: HostLock;

  private constructor({ stateDir, bot, place = currentPlace() }: AtWorkOptions) {
    this.folder = join(stateDir, bot, 'inbox');
    this.#lock = new HostLock(lockAddress(bot));
    this.#journal = new JournalInbox<Update>({
      folder: this.folder,
      bot,
      durability: 'process',
      maxAttempts: 0,
      concurrency: 10,
      limit: 1_000_000,
      holder: { place, id: this.id },
      clock: systemClock,
      restore: (content) => content as Update,
      errorText: (error) => (error instanceof Error ? `${error}\n    at somewhere` : `${error}`),
      emit() {},
      keyOf: orderKey,
      kindOf: updateKind,
      available: () => this.#told(),
    });
  }

  static async begin(options: AtWorkOptions): Promise<AtWork> {
    const run = new AtWork(options);
    mkdirSync(options.stateDir, { recursive: true });
    await run.#lock.tryAcquire();
    await run.#journal.open().catch((error: unknown) => {
      run.#lock.release();
      throw error;
    });
    await settle();
    return run;
  }

  async accept(...updates: readonly Update[]): Promise<void> {
    await this.#journal.accept(updates);
  }

  /** The handlers of all updates that can be taken now begin. */
  take(): readonly Entry<Update>[] {
    const entries = this.#journal.take(Number.POSITIVE_INFINITY);
    this.taken.push(...entries);
    return entries;
  }

  /** Resolves once a handler of this update, and of all that can be taken before it, has begun. */
  async handle(...updateIds: readonly number[]): Promise<void> {
    for (const id of updateIds)
      while (!this.#find(id)) {
        const [entry] = this.#journal.take(1);
        if (entry) this.taken.push(entry);
        else
          await new Promise<void>((resolve) => {
            this.#told = resolve;
          });
      }
  }

  /** The handlers of these begin and fail: the updates are dead. */
  fail(error: unknown, ...updateIds: readonly number[]): Promise<void> {
    return this.giveUp('failed', error, ...updateIds);
  }

  async giveUp(why: Settlement, error: unknown, ...updateIds: readonly number[]): Promise<void> {
    for (const id of updateIds) {
      await this.handle(id);
      this.#journal.settle(this.#entry(id), why, error);
    }
  }

  async putBack(delayMs: number, ...updateIds: readonly number[]): Promise<void> {
    for (const id of updateIds) {
      await this.handle(id);
      this.#journal.putBack(this.#entry(id), { delayMs, isRetry: false });
    }
  }

  async settle(...updateIds: readonly number[]): Promise<void> {
    for (const id of updateIds) {
      await this.handle(id);
      this.#journal.settle(this.#entry(id), 'handled');
    }
  }

  /** Ends the run in order, or as a kill does: what was begun stays begun, and the heartbeat stays. */
  async end(how: 'stop' | 'kill' = 'stop'): Promise<void> {
    const heartbeat = join(this.folder, 'owner.json');
    const left = readFileSync(heartbeat);
    const cause = how === 'kill' ? 'fault' : 'stop';
    this.#journal.drain(cause);
    await this.#journal.close(cause);
    if (how === 'kill') writeFileSync(heartbeat, left);
    this.#lock.release();
  }

  #find(id: number): Entry<Update> | undefined {
    return this.taken.findLast(({ updateId }) => updateId === id);
  }

  #entry(id: number): Entry<Update> {
    const entry = this.#find(id);
    if (!entry) throw new Error(`the handler of update ${id} has not begun`);
    return entry;
  }
}

/** The options of a view of an inbox that no process works with. */
export const viewOptions = (folder: string, bot: string): ViewOptions => ({
  folder,
  bot,
  runId: undefined,
  now: Date.now,
  keyOf: orderKey,
  kindOf: updateKind,
});

/** All files in a folder, with what shows whether one has changed. */
export function treeOf(folder: string): string[] {
  const names = ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })].sort();
  return names.map((name) => {
    const { mtimeMs, ctimeMs, size, mode, ino, uid } = statSync(join(folder, name));
    return [name, mtimeMs, ctimeMs, size, mode, ino, uid].join(' ');
  });
}
