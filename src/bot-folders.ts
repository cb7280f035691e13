/** What a run keeps in a bot's folder while it holds the bot's lock: record, history, and the socket of its status. */
import { join } from 'node:path';
import type { Clock } from './clock.js';
import { type FormerInboxesOptions, takeOverFormerInboxes } from './former-inboxes.js';
import type { BotIdentity } from './host/bot-key.js';
import type { FormerFolder } from './host/former-folders.js';
import type { RunRecorder } from './host/run-recorder.js';
import { guarded } from './listener.js';
import type { ObservedEvent } from './observe/events.js';
import type { HistoryRecorder } from './observe/history/recorder.js';
import type { Status } from './observe/status/status.js';
import { tellUnusedJournal } from './unused-journal.js';

export interface BotFoldersOptions {
  /** The folder that has one folder a bot in it; undefined where there is no place for one. */
  readonly stateDir: string | undefined;
  /** The kind of inbox in use. Several processes may share a bot whose inbox is in Postgres. */
  readonly inbox: 'journal' | 'memory' | 'postgres';
  readonly clock: Clock;
  readonly recorder: Pick<RunRecorder, 'begin' | 'finish'>;
  readonly history: Pick<HistoryRecorder, 'finish'>;
  readonly status: Pick<Status, 'hold' | 'release'>;
  emit(event: ObservedEvent, botId?: number): void;
}

export class BotFolders {
  readonly #options: BotFoldersOptions;
  readonly #finishHistory: (key: string) => void;

  constructor(options: BotFoldersOptions) {
    this.#options = options;
    this.#finishHistory = guarded((key: string) => options.history.finish(key));
  }

  /**
   * Begins to write in the folder of a bot whose lock is held now. Rejects as {@link takeOverFormerInboxes} does.
   *
   * @param former the folders of former versions, with their locks held
   */
  async acquired(
    bot: BotIdentity,
    key: string,
    signal: AbortSignal,
    former: readonly FormerFolder[],
  ): Promise<void> {
    const { stateDir, inbox, recorder, status } = this.#options;
    signal.throwIfAborted();
    if (stateDir !== undefined) await this.#lookForOthers({ stateDir, bot, former, signal }, key);
    signal.throwIfAborted();
    // The process has such a folder for itself only where it shares its bots with no other.
    if (inbox !== 'postgres') recorder.begin(key, bot.botId);
    status.hold(bot.botId, key);
  }

  /** Ends what was begun. Call it with the lock held. */
  released(key: string): void {
    const { recorder, status } = this.#options;
    recorder.finish(key);
    this.#finishHistory(key);
    status.release(key);
  }

  /** Looks for inboxes that hold updates of the bot beside the one in use. */
  async #lookForOthers(
    where: Pick<FormerInboxesOptions, 'stateDir' | 'bot' | 'former' | 'signal'>,
    key: string,
  ): Promise<void> {
    const { inbox, clock, emit } = this.#options;
    const { botId } = where.bot;
    if (inbox === 'journal') {
      const waiting = (place: string | undefined, waitMs: number) =>
        emit({ event: 'inbox.waiting', place, waitMs }, botId);
      await takeOverFormerInboxes({ ...where, clock, waiting, emit });
    } else {
      // Such an inbox leaves what is on disk alone, and nobody has to wait until that is read.
      const folder = join(where.stateDir, key);
      void tellUnusedJournal({ folder, bot: botId, inbox, signal: where.signal, emit });
    }
  }
}
