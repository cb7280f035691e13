/**
 * Takes over the inbox that a former version of lastcall has left of a bot. Those versions had one for each spelling of the
 * bot's server. Where there are several, one is taken over, and the others are told at each start. A bot that has none is not
 * run with a new one while a former one waits: what that holds would be handled by nobody from then on.
 *
 * The inbox is moved in one step, so that a process that is killed amid this loses nothing: the next one goes on with it.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from './clock.js';
import { LastcallError } from './errors.js';
import { prepareBotFolder } from './host/bot-folder.js';
import { type BotIdentity, botKey, formerKeys } from './host/bot-key.js';
import type { FormerInboxEvent } from './host/events.js';
import type { FormerFolder } from './host/former-folders.js';
import { currentPlace } from './host/place.js';
import { systemDisk } from './inbox/log/disk.js';
import { countContents } from './inbox/store/contents.js';
import { openingError } from './inbox/store/inbox-error.js';
import { Owner } from './inbox/store/owner.js';
import { codeOf } from './system-error.js';

export interface FormerInboxesOptions {
  readonly stateDir: string;
  readonly bot: BotIdentity;
  /** The folders of former versions; those that are of this user, with their locks held. */
  readonly former: readonly FormerFolder[];
  readonly clock: Clock;
  /** Aborts when the bot is to be run no longer. */
  readonly signal: AbortSignal;
  /** Called when the last owner of an inbox may still be alive in another place: this waits to see. */
  readonly waiting: (place: string | undefined, waitMs: number) => void;
  readonly emit: (event: FormerInboxEvent) => void;
}

interface FormerInbox {
  readonly path: string;
  /** Why it cannot be taken over, if so. */
  readonly obstacle?: string;
  /** Why it cannot be seen whether there is one, if so. */
  readonly error?: unknown;
}

const inboxIn = (folder: string): string => join(folder, 'inbox');

/**
 * Takes over one former inbox if the bot has none, and tells the others. Call it with the bot's locks held. Rejects with
 * FORMER_INBOX_REFUSED where there is none but such as cannot be taken over, with INBOX_IN_USE where a former version works
 * with the inbox in another place, with INBOX_UNAVAILABLE, INBOX_DISK, STATE_DIR_UNSAFE, and with the signal's reason.
 */
export async function takeOverFormerInboxes(options: FormerInboxesOptions): Promise<void> {
  const { stateDir, bot, former, emit } = options;
  const own = join(stateDir, botKey(bot));
  const inboxes = former.map((folder) => inboxOf(folder, options)).filter((inbox) => inbox !== undefined);
  const taken = inboxes.length === 0 || hasOwnInbox(own) ? undefined : await choose(inboxes, own, options);
  if (taken) await take(taken, own, options);
  const left = inboxes.filter((inbox) => inbox !== taken);
  for (const { path, error } of left)
    emit({ event: 'former-inbox.left', bot: bot.botId, path, own, ...(error !== undefined && { error }) });
  for (const { folder } of former)
    if (folder !== undefined && !left.some(({ path }) => path === folder)) removeRest(folder, own);
}

/** Returns the inbox in the folder, if there is one, or may be one. */
function inboxOf(
  { key, folder }: FormerFolder,
  { stateDir, bot }: FormerInboxesOptions,
): FormerInbox | undefined {
  const path = join(stateDir, key);
  try {
    if (!hasInbox(path)) return undefined;
  } catch (error) {
    return { path, obstacle: 'this user cannot look into it', error };
  }
  // Root could take what belongs to another user, as which the bot may run the next time.
  if (folder === undefined) return { path, obstacle: 'it belongs to another user, or is a link' };
  if (formerKeys(bot).includes(key)) return { path };
  return {
    path,
    obstacle:
      'its name is made of another address of the server, and may be that of a bot with the same id in the other environment of Telegram',
  };
}

/** Throws the system's error where this cannot be seen. */
function hasInbox(folder: string): boolean {
  try {
    statSync(inboxIn(folder));
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function hasOwnInbox(own: string): boolean {
  try {
    return hasInbox(own);
  } catch (error) {
    throw openingError(inboxIn(own), error);
  }
}

/** Of several, those that hold something come first, and of these the one that was used last. */
async function choose(
  inboxes: readonly FormerInbox[],
  own: string,
  { signal }: FormerInboxesOptions,
): Promise<FormerInbox | undefined> {
  const free = inboxes.filter(({ obstacle }) => obstacle === undefined);
  if (free.length === 0)
    for (const inbox of inboxes)
      if (inbox.error !== undefined || (await holdsAnything(inbox, signal))) throw refusal(inbox, own);
  if (free.length < 2) return free[0];
  const rated = await Promise.all(
    free.map(async (inbox) => ({
      inbox,
      holds: Number(await holdsAnything(inbox, signal)),
      usedAtMs: statSync(inbox.path).mtimeMs,
    })),
  );
  rated.sort((one, other) => other.holds - one.holds || other.usedAtMs - one.usedAtMs);
  return rated[0]?.inbox;
}

/** Resolves to true in doubt. */
async function holdsAnything({ path }: FormerInbox, signal: AbortSignal): Promise<boolean> {
  try {
    const { updates, dead } = await countContents(inboxIn(path), { signal });
    return updates + dead > 0;
  } catch {
    return true;
  }
}

function refusal({ path, obstacle, error }: FormerInbox, own: string): LastcallError {
  const code = codeOf(error);
  if (error !== undefined && code !== 'EACCES' && code !== 'EPERM') return openingError(inboxIn(path), error);
  const message = `the inbox that a former version of lastcall kept in ${path} cannot be taken over into ${own}: ${obstacle}`;
  return new LastcallError('FORMER_INBOX_REFUSED', path, message, { cause: error });
}

async function take(
  { path }: FormerInbox,
  own: string,
  { bot, clock, signal, waiting, emit }: FormerInboxesOptions,
): Promise<void> {
  signal.throwIfAborted();
  const from = inboxIn(path);
  try {
    const holder = { place: currentPlace(), id: randomUUID() };
    const owner = new Owner({ disk: systemDisk, folder: from, clock, ...holder, waiting });
    await owner.acquire(signal).finally(() => owner.close());
    prepareBotFolder(own);
    renameSync(from, inboxIn(own));
    for (const changed of [own, path]) systemDisk.syncFolder(changed);
  } catch (error) {
    if (signal.aborted) throw error;
    throw openingError(from, error);
  }
  emit({ event: 'former-inbox.taken-over', bot: bot.botId, from: path, path: own });
}

/** Takes over how the last run ended, and removes the folder, in which nothing else is. */
function removeRest(folder: string, own: string): void {
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
