/** The folders that former versions of lastcall made for a bot: one for each spelling of its server. */
import { join } from 'node:path';
import { isOwnFolder, namesIn } from './bot-folder.js';
import { type BotIdentity, formerKeys, formerKeysIn } from './bot-key.js';

export interface FormerFolder {
  /** The key that a former version gave the bot, which is also the name of the folder in the state directory. */
  readonly key: string;
  /** Absolute path; undefined if there is no such folder, or it is not one of this user. */
  readonly folder: string | undefined;
}

/** Returns those that a former version would use now, whether they exist or not, and all others that exist. */
export function formerFolders(bot: BotIdentity, stateDir: string | undefined): FormerFolder[] {
  if (stateDir === undefined) return formerKeys(bot).map((key) => ({ key, folder: undefined }));
  const keys = new Set([...formerKeys(bot), ...formerKeysIn(namesIn(stateDir), bot)]);
  return [...keys].map((key) => {
    const folder = join(stateDir, key);
    return { key, folder: isOwnFolder(folder) ? folder : undefined };
  });
}
