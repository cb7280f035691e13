/** Tells of a journal that holds updates while another kind of inbox is in use: nobody handles them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { UnusedJournalEvent } from './host/events.js';
import { countContents } from './inbox/store/contents.js';

export interface UnusedJournalOptions {
  /** The bot's folder in STATE_DIR. */
  readonly folder: string;
  readonly bot: number;
  /** The inbox in use. */
  readonly inbox: UnusedJournalEvent['inbox'];
  readonly signal: AbortSignal;
  readonly emit: (event: UnusedJournalEvent) => void;
}

/** Never rejects: a journal that cannot be read is told when it is used again. */
export async function tellUnusedJournal(options: UnusedJournalOptions): Promise<void> {
  const { folder, bot, inbox, signal, emit } = options;
  const path = join(folder, 'inbox');
  if (!existsSync(path)) return;
  try {
    const { updates, dead } = await countContents(path, { signal });
    if (updates + dead > 0) emit({ event: 'journal.unused', bot, path, inbox, updates, dead });
  } catch {
    // See above.
  }
}
