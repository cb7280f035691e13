/** Chooses one of the inboxes in a state directory for a command. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LastcallError } from '../../errors.js';
import { isBotKey, isFormerKey } from '../../host/bot-key.js';
import { codeOf } from '../../system-error.js';
import { maskTokens } from '../../token.js';
import { firstFew } from '../../words.js';

export interface BotInbox {
  /** The key of the bot, which is also the name of its folder in the state directory. */
  readonly botKey: string;
  /** Absolute path. */
  readonly folder: string;
}

export interface Choice {
  readonly stateDir: string | undefined;
  /** The value of `--bot`: a bot id or key. Takes precedence over `keyOfToken`. */
  readonly bot: string | undefined;
  /** The key of the bot that the configured token belongs to. */
  readonly keyOfToken: string | undefined;
}

/** @throws LastcallError COMMAND_MISUSED for a text that is neither an id nor a key */
export function checkBot(bot: string): void {
  if (/^\d+$/.test(bot) || isBotKey(bot)) return;
  const message = `--bot must be a bot id or the name of its folder, not '${maskTokens(bot)}'`;
  throw new LastcallError('COMMAND_MISUSED', '--bot', message);
}

/**
 * Returns the inbox of the given bot, else the inbox of the token's bot, else the only inbox.
 *
 * @throws LastcallError INBOX_NOT_FOUND, INBOX_AMBIGUOUS, INBOX_FORBIDDEN, COMMAND_MISUSED
 */
export function chooseInbox({ stateDir, bot, keyOfToken }: Choice): BotInbox {
  if (bot !== undefined) checkBot(bot);
  if (stateDir === undefined)
    throw notFound('STATE_DIR', 'STATE_DIR is not set, and there is no home directory');
  const chosen = chooseBot(botKeysIn(stateDir), bot ?? keyOfToken, stateDir);
  return { botKey: chosen, folder: join(stateDir, chosen, 'inbox') };
}

/**
 * Returns the wanted one of the bots with an inbox, or the only one if none is wanted.
 *
 * @param wanted a bot id or key
 * @param place where these inboxes are, for people
 * @throws LastcallError INBOX_NOT_FOUND, INBOX_AMBIGUOUS
 */
export function chooseBot(keys: readonly string[], wanted: string | undefined, place: string): string {
  const found = matching(keys, wanted);
  const [first] = found;
  if (first === undefined) {
    if (wanted === undefined) throw notFound(place, `there is no inbox in ${place}`);
    const others = keys.length === 0 ? 'nor of any other' : `only of ${firstFew(keys)}`;
    throw notFound(place, `there is no inbox of bot ${wanted} in ${place}, ${others}`);
  }
  if (found.length > 1) {
    const message = `there are inboxes of ${found.length} bots in ${place}: ${firstFew(found)}`;
    throw new LastcallError('INBOX_AMBIGUOUS', place, message);
  }
  return first;
}

/** Returns the keys of the wanted bot, without former ones where it has one of today. */
function matching(keys: readonly string[], wanted: string | undefined): readonly string[] {
  if (wanted !== undefined && keys.includes(wanted)) return [wanted];
  // The id of a bot is also that with which the key of the bot in the test environment begins.
  const found = keys.filter(
    (key) => wanted === undefined || (isFormerKey(key) && key.startsWith(`${wanted}-`)),
  );
  return found.filter((key) => !(isFormerKey(key) && found.includes(`${Number.parseInt(key, 10)}`)));
}

const notFound = (culprit: string, message: string) => new LastcallError('INBOX_NOT_FOUND', culprit, message);

/** Returns the keys of the bots with an inbox in the state directory, sorted. */
function botKeysIn(stateDir: string): string[] {
  try {
    return readdirSync(stateDir)
      .filter((name) => isBotKey(name) && mayHaveInbox(join(stateDir, name)))
      .sort();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw new LastcallError('INBOX_FORBIDDEN', stateDir, `this user may not read ${stateDir}`, {
      cause: error,
    });
  }
}

/** Whether the folder has an inbox, or this user may not read it, in which case a later read fails with a clear error. */
function mayHaveInbox(folder: string): boolean {
  try {
    return statSync(join(folder, 'inbox')).isDirectory();
  } catch (error) {
    return codeOf(error) === 'EACCES';
  }
}
