/** What a container without a volume changes in the settings. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { volumeWarning } from '../host/container.js';

/**
 * In a container without a volume, updates are kept at Telegram, since what is on disk goes with the container; unless INBOX
 * is set, or an earlier run has left an inbox there.
 */
export function fitToContainer(
  { config, sources }: LoadedConfig,
  isContainer: boolean,
): { readonly config: Config; readonly warning: string | undefined } {
  const { stateDir, inbox } = config;
  if (!isContainer || stateDir === undefined || inbox === 'memory') return { config, warning: undefined };
  const isSet = sources.inbox.kind !== 'default';
  // What an earlier run has left there is to be handled.
  if (!isSet && hasInbox(stateDir)) return { config, warning: volumeWarning(stateDir, true) };
  const warning = volumeWarning(stateDir, isSet);
  return { config: warning === undefined || isSet ? config : { ...config, inbox: 'memory' }, warning };
}

function hasInbox(stateDir: string): boolean {
  return (
    existsSync(stateDir) && readdirSync(stateDir).some((bot) => existsSync(join(stateDir, bot, 'inbox')))
  );
}
