/** Finds the folders of the bots of this host. */
import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isBotKey, isFormerKey } from '../../host/bot-key.js';
import { LAST_RUN_FILE } from '../../host/run-record.js';
import { HISTORY_FILES } from '../../observe/history/record.js';
import { isSocketName } from '../../observe/status/socket-name.js';
import { codeOf } from '../../system-error.js';
import { tryOr } from '../../thrown.js';
import { homes } from '../unix-user.js';

export interface BotFolder {
  /** The name of the folder, which is the bot's key. */
  readonly key: string;
  /** Absolute path. */
  readonly folder: string;
}

/** A state folder, which has one folder a bot in it. */
export interface Place {
  /** Absolute path. */
  readonly stateDir: string;
  /** The keys of its bots. */
  readonly keys: readonly string[];
}

export interface Found {
  readonly bots: readonly BotFolder[];
  /** The state folders of this host, also those without bots, and others that may be one. */
  readonly places: readonly Place[];
  /** Where bots were looked for, for people. */
  readonly looked: readonly string[];
  /** The places that this user may not look into. */
  readonly closed: readonly string[];
  /** Whether the inbox of the settings is in a database, in which processes on other hosts can be seen. */
  readonly isInDatabase?: boolean;
}

/** Returns the bot that the failed starts of a place were of: the only one there. Nothing tells it of several. */
export function onlyBotOf<Bot extends BotFolder>(
  { stateDir, keys }: Place,
  bots: readonly Bot[],
): Bot | undefined {
  return keys.length === 1 ? bots.find(({ folder }) => dirname(folder) === stateDir) : undefined;
}

/** Where systemd keeps the state of units. */
const UNIT_STATES = '/var/lib';

/**
 * Looks in the state directory of the settings, in the state directories of units, and, as root, in those of all users.
 *
 * @param stateDir undefined where there is no place for one
 */
export function findBots(stateDir: string | undefined, isRoot: boolean): Found {
  const ofUnits = entriesOf(UNIT_STATES).map((name) => join(UNIT_STATES, name));
  const ofUsers = isRoot ? homes().map((home) => join(home, '.local', 'state', 'lastcall')) : [];
  const named = stateDir === undefined ? [] : [stateDir];
  const bots = new Map<string, BotFolder>();
  const places = new Map<string, Place>();
  const closed = new Set<string>();
  for (const place of [...named, ...ofUnits, ...ofUsers]) {
    // What else is in the folder of units is of no concern here.
    const isOurs = place === stateDir || /\/lastcall[^/]*$/.test(place);
    const keys = botKeysIn(place);
    if (keys === 'closed' && isOurs) closed.add(place);
    if (keys === 'closed') continue;
    const own = keys.filter((key) => isOfBot(join(place, key), isOurs));
    const real = realPathOf(place);
    if (!places.has(real)) places.set(real, { stateDir: place, keys: own });
    for (const key of own) {
      const folder = join(place, key);
      const realFolder = realPathOf(folder);
      if (!bots.has(realFolder)) bots.set(realFolder, { key, folder });
    }
  }
  const looked = [...named, UNIT_STATES, ...(isRoot ? ['the homes of all users'] : [])];
  return { bots: [...bots.values()], places: [...places.values()], looked, closed: [...closed] };
}

/** Returns the keys of bots in a folder, without former ones where the bot has one of today. */
function botKeysIn(place: string): readonly string[] | 'closed' {
  try {
    const keys = readdirSync(place).filter(isBotKey).sort();
    return keys.filter((key) => !(isFormerKey(key) && keys.includes(`${Number.parseInt(key, 10)}`)));
  } catch (error) {
    return isForbidden(error) ? 'closed' : [];
  }
}

/** Whether a folder is that of a bot. Others have folders with numbers for names, too. */
function isOfBot(folder: string, inDoubt: boolean): boolean {
  try {
    return readdirSync(folder).some(
      (name) => name === 'inbox' || name === LAST_RUN_FILE || name === HISTORY_FILES[1] || isSocketName(name),
    );
  } catch (error) {
    return isForbidden(error) && inDoubt;
  }
}

const realPathOf = (path: string): string => tryOr(() => realpathSync(path), path);

const isForbidden = (error: unknown): boolean => ['EACCES', 'EPERM'].includes(codeOf(error) ?? '');

const entriesOf = (folder: string): readonly string[] => tryOr(() => readdirSync(folder), []);
