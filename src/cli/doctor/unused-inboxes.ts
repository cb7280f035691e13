/** Looks for inboxes of the bot on this host that nobody handles. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from '../../host/bot-folder.js';
import { type BotIdentity, botKey, formerKeysIn } from '../../host/bot-key.js';
import { countContents } from '../../inbox/store/contents.js';
import type { UnusedInbox } from './inbox.js';

/**
 * Resolves to those that hold something: those of former versions, and the journal where another kind of inbox is in use. Never
 * rejects: what cannot be read is told where it is used.
 */
export async function unusedInboxes(
  stateDir: string | undefined,
  identity: BotIdentity | undefined,
  kind: string,
): Promise<readonly UnusedInbox[]> {
  if (stateDir === undefined || identity === undefined) return [];
  const own = join(stateDir, botKey(identity), 'inbox');
  // A former one is taken over at the next start, where there is none of today.
  const former = existsSync(own) ? formerKeysIn(namesIn(stateDir), identity) : [];
  const unused = [
    ...former.map((key) => ({ path: join(stateDir, key, 'inbox'), isFormer: true })),
    ...(kind === 'journal' ? [] : [{ path: own, isFormer: false }]),
  ];
  const counted = await Promise.all(
    unused
      .filter(({ path }) => existsSync(path))
      .map(async (each) => ({
        ...each,
        ...(await countContents(each.path).catch(() => ({ updates: 0, dead: 0 }))),
      })),
  );
  return counted.filter(({ updates, dead }) => updates + dead > 0);
}
