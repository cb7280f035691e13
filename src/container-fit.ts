/** What a container changes in the settings, and what there is to say about it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config/schema.js';
import type { SettingSource } from './config/source.js';
import { type ContainerRuntime, defaultGraceMs } from './host/container.js';
import { volumeWarning } from './host/volume.js';

type FittedKey = 'inbox' | 'graceMs';

export interface ContainerFit {
  /** The settings that the container decides. */
  readonly values: Partial<Pick<Config, FittedKey>>;
  readonly sources: { readonly [K in FittedKey]?: SettingSource };
  /** Sentences for the log. */
  readonly warnings: readonly string[];
}

/**
 * Fits settings to the container, if there is one. The grace is that of its runtime unless it is set. Without a volume,
 * updates are kept at Telegram, since what is on disk goes with the container; unless INBOX is set, or an earlier run has left
 * an inbox there.
 */
export function fitToContainer(
  { inbox, stateDir, graceMs }: Partial<Config>,
  isInboxSet: boolean,
  runtime: ContainerRuntime | undefined,
): ContainerFit {
  if (runtime === undefined) return { values: {}, sources: {}, warnings: [] };
  const keepsJournal = isInboxSet || (stateDir !== undefined && hasInbox(stateDir));
  const warning =
    stateDir === undefined || inbox !== 'journal' ? undefined : volumeWarning(stateDir, keepsJournal);
  const isMoved = warning !== undefined && !keepsJournal;
  const isGraceKnown = graceMs !== undefined;
  return {
    values: {
      ...(isMoved && { inbox: 'memory' }),
      ...(!isGraceKnown && { graceMs: defaultGraceMs[runtime] }),
    },
    sources: {
      ...(isMoved && { inbox: { kind: 'container' } }),
      ...(!isGraceKnown && { graceMs: { kind: 'default', from: runtime } }),
    },
    warnings: warning === undefined ? [] : [warning],
  };
}

/** Whether an earlier run of any bot has left an inbox in the folder. */
function hasInbox(stateDir: string): boolean {
  return list(stateDir).some((bot) => list(join(stateDir, bot)).includes('inbox'));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Whoever needs the folder says why it cannot be read.
    return [];
  }
}
