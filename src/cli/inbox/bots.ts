/** Which bot's inbox is meant, of those in a state directory. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LastcallError } from '../../errors.js';
import { codeOf } from '../../system-error.js';
import { maskTokens } from '../../token.js';
import { firstFew } from '../../words.js';

export interface BotInbox {
  /** The bot's key. */
  readonly bot: string;
  /** Absolute. */
  readonly folder: string;
}

export interface Choice {
  readonly stateDir: string | undefined;
  /** What was said with `--bot`: the bot's id, or its whole key. Comes before the token. */
  readonly bot: string | undefined;
  /** The key of the bot that the token belongs to. */
  readonly ofToken: string | undefined;
}

const KEY = /^\d+-[\da-f]{16}$/;

/** @throws LastcallError INBOX_NOT_FOUND, INBOX_AMBIGUOUS, INBOX_FORBIDDEN, COMMAND_MISUSED */
export function chooseInbox({ stateDir, bot, ofToken }: Choice): BotInbox {
  if (bot !== undefined && !/^\d+$/.test(bot) && !KEY.test(bot))
    throw new LastcallError(
      'COMMAND_MISUSED',
      '--bot',
      `--bot must be the bot's id, or the name of its folder, not '${maskTokens(bot)}'`,
    );
  if (stateDir === undefined)
    throw new LastcallError('INBOX_NOT_FOUND', 'STATE_DIR', 'there is no STATE_DIR, and no home directory');

  const bots = botsIn(stateDir);
  const wanted = bot ?? ofToken;
  const found = bots.filter((key) => wanted === undefined || key === wanted || key.startsWith(`${wanted}-`));
  const [first] = found;
  if (first !== undefined && found.length === 1)
    return { bot: first, folder: join(stateDir, first, 'inbox') };

  const others = bots.length === 0 ? 'nor of any other' : `only of ${firstFew(bots)}`;
  if (first === undefined)
    throw new LastcallError(
      'INBOX_NOT_FOUND',
      stateDir,
      wanted === undefined
        ? `there is no inbox in ${stateDir}`
        : `there is no inbox of bot ${wanted} in ${stateDir}, ${others}`,
    );
  throw new LastcallError(
    'INBOX_AMBIGUOUS',
    stateDir,
    `there are inboxes of ${found.length} bots in ${stateDir}: ${firstFew(found)}`,
  );
}

/** The keys of the bots that have an inbox there. */
function botsIn(stateDir: string): string[] {
  try {
    return readdirSync(stateDir)
      .filter((name) => KEY.test(name) && mayHaveInbox(join(stateDir, name)))
      .sort();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw new LastcallError('INBOX_FORBIDDEN', stateDir, `this user may not look into ${stateDir}`, {
      cause: error,
    });
  }
}

/** One that is closed to this user counts: reading it then says so. */
function mayHaveInbox(folder: string): boolean {
  try {
    return statSync(join(folder, 'inbox')).isDirectory();
  } catch (error) {
    return codeOf(error) === 'EACCES';
  }
}
