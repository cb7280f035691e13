/** Finds the folders of the bots of this host. */
import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../system-error.js';
import { tryOr } from '../../thrown.js';
import { isBotKey } from '../inbox/choose-inbox.js';
import { homes } from '../unix-user.js';

export interface BotFolder {
  /** The name of the folder, which is the bot's key. */
  readonly key: string;
  /** Absolute path. */
  readonly folder: string;
}

export interface Found {
  readonly bots: readonly BotFolder[];
  /** Where bots were looked for, for people. */
  readonly looked: readonly string[];
  /** The places that this user may not look into. */
  readonly closed: readonly string[];
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
  const closed = new Set<string>();
  for (const place of [...named, ...ofUnits, ...ofUsers]) {
    const keys = botKeysIn(place);
    // What else is in the folder of units is of no concern here.
    if (keys === 'closed' && (place === stateDir || /\/lastcall[^/]*$/.test(place))) closed.add(place);
    if (keys === 'closed') continue;
    for (const key of keys) {
      const folder = join(place, key);
      const real = tryOr(() => realpathSync(folder), folder);
      if (!bots.has(real)) bots.set(real, { key, folder });
    }
  }
  const looked = [...named, UNIT_STATES, ...(isRoot ? ['the homes of all users'] : [])];
  return { bots: [...bots.values()], looked, closed: [...closed] };
}

function botKeysIn(place: string): readonly string[] | 'closed' {
  try {
    return readdirSync(place).filter(isBotKey).sort();
  } catch (error) {
    return ['EACCES', 'EPERM'].includes(codeOf(error) ?? '') ? 'closed' : [];
  }
}

const entriesOf = (folder: string): readonly string[] => tryOr(() => readdirSync(folder), []);
