/**
 * Takes over the inbox that a former version of lastcall has left of a bot. Those versions had one for each spelling of the
 * bot's server. Where there are several, one is taken over, and what the others hold is told at each start.
 *
 * The inbox is moved in one step, so that a process that is killed amid this loses nothing: the next one goes on with it.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from './clock.js';
import { LastcallError } from './errors.js';
import { isOwnFolder, namesIn, prepareBotFolder } from './host/bot-folder.js';
import { type BotIdentity, botKey, formerKeysIn } from './host/bot-key.js';
import type { FormerInboxEvent } from './host/events.js';
import { currentPlace } from './host/place.js';
import { systemDisk } from './inbox/log/disk.js';
import { countContents, type InboxContents } from './inbox/store/contents.js';
import { Owner } from './inbox/store/owner.js';

export interface FormerInboxesOptions {
  readonly stateDir: string;
  readonly bot: BotIdentity;
  readonly clock: Clock;
  /** Aborts when the bot is to be run no longer. */
  readonly signal: AbortSignal;
  /** Called when the last owner of an inbox may still be alive in another place: this waits to see. */
  readonly waiting: (place: string | undefined, waitMs: number) => void;
  readonly emit: (event: FormerInboxEvent) => void;
}

const inboxIn = (folder: string): string => join(folder, 'inbox');

/**
 * Takes over one former inbox if the bot has none, and tells what others hold. Call it with the bot's locks held. Rejects with
 * INBOX_IN_USE where a former version works with the inbox in another place, and with the signal's reason.
 */
export async function takeOverFormerInboxes(options: FormerInboxesOptions): Promise<void> {
  const { stateDir, bot, signal, emit } = options;
  const folders = formerKeysIn(namesIn(stateDir), bot).map((key) => join(stateDir, key));
  if (folders.length === 0) return;
  const own = join(stateDir, botKey(bot));
  const former = await Promise.all(
    folders.filter((folder) => existsSync(inboxIn(folder))).map((folder) => look(folder, signal)),
  );
  signal.throwIfAborted();
  const chosen = existsSync(inboxIn(own)) ? undefined : former.sort(byWorth)[0];
  for (const { folder, contents, error } of former) {
    if (folder === chosen?.folder) continue;
    const { updates, dead } = contents ?? {};
    if (updates !== 0 || dead !== 0)
      emit({ event: 'former-inbox.left', bot: bot.botId, path: folder, own, updates, dead, error });
  }
  if (chosen) await take(chosen, own, options);
  for (const folder of folders) if (!existsSync(inboxIn(folder))) removeRest(folder, own);
}

interface FormerInbox {
  readonly folder: string;
  readonly usedAtMs: number;
  /** Undefined where it cannot be read. */
  readonly contents: InboxContents | undefined;
  readonly error?: unknown;
}

async function look(folder: string, signal: AbortSignal): Promise<FormerInbox> {
  const { mtimeMs: usedAtMs } = statSync(folder);
  try {
    return { folder, usedAtMs, contents: await countContents(inboxIn(folder), { signal }) };
  } catch (error) {
    return { folder, usedAtMs, contents: undefined, error };
  }
}

/** Those that hold something come first, and of these the one that was used last. */
function byWorth(one: FormerInbox, other: FormerInbox): number {
  const holds = ({ contents }: FormerInbox) => Number(!contents || contents.updates + contents.dead > 0);
  return holds(other) - holds(one) || other.usedAtMs - one.usedAtMs;
}

async function take(
  { folder, contents }: FormerInbox,
  own: string,
  { bot, clock, signal, waiting, emit }: FormerInboxesOptions,
): Promise<void> {
  const from = inboxIn(folder);
  try {
    // Root could take what belongs to another user, as which the bot may run the next time.
    if (!isOwnFolder(folder)) throw new Error(`${folder} belongs to another user, or is a link`);
    const holder = { place: currentPlace(), id: randomUUID() };
    const owner = new Owner({ disk: systemDisk, folder: from, clock, ...holder, waiting });
    await owner.acquire(signal).finally(() => owner.close());
    prepareBotFolder(own);
    renameSync(from, inboxIn(own));
    for (const changed of [own, folder]) systemDisk.syncFolder(changed);
  } catch (error) {
    if (signal.aborted || error instanceof LastcallError) throw error;
    emit({ event: 'former-inbox.left', bot: bot.botId, path: folder, own, ...contents, error });
    return;
  }
  emit({ event: 'former-inbox.taken-over', bot: bot.botId, from: folder, path: own });
}

/** Takes over how the last run ended, and removes the folder, in which nothing else is. */
function removeRest(folder: string, own: string): void {
  if (!isOwnFolder(folder)) return;
  try {
    const record = join(folder, 'last-run.json');
    const ownRecord = join(own, 'last-run.json');
    if (existsSync(record) && !existsSync(ownRecord)) renameSync(record, ownRecord);
    rmSync(record, { force: true });
    rmSync(join(folder, 'lock.sock'), { force: true });
    rmdirSync(folder);
  } catch {
    // It is in nobody's way.
  }
}
