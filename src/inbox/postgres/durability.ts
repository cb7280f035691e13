/** What an accepted update survives, by the settings of the server. */
import type { Queries, Query } from './queries.js';

export interface Durability {
  /** The worst that it survives, each including those before. */
  readonly survives: 'process' | 'power' | 'fail-over';
  /** What it does not survive, and the setting of the server that decides this; undefined where there is nothing to say. */
  readonly except: string | undefined;
}

interface Settings {
  readonly fsync: boolean;
  readonly commit: string;
  readonly standbys: string;
}

export async function readDurability(queries: Queries): Promise<Durability> {
  const [settings] = await queries.query(durabilitySettings);
  return settings ? durabilityOf(settings) : { survives: 'process', except: undefined };
}

/**
 * A commit that is reported may not be on the disk yet (`synchronous_commit=off`), or not for certain (`fsync=off`); and
 * what is only on this server's disk is missing on a standby that takes over.
 */
export function durabilityOf({ fsync, commit, standbys }: Settings): Durability {
  if (commit === 'off')
    return {
      survives: 'process',
      except: 'a crash of the database loses the last moments of it (synchronous_commit=off)',
    };
  if (!fsync) return { survives: 'process', except: 'a power cut may destroy the database (fsync=off)' };
  if (standbys.trim() === '')
    return {
      survives: 'power',
      except: 'a fail-over loses what the standby has not got yet (synchronous_standby_names is empty)',
    };
  if (commit === 'local')
    return {
      survives: 'power',
      except: 'a fail-over loses what the standby has not got yet (synchronous_commit=local)',
    };
  return { survives: 'fail-over', except: undefined };
}

const durabilitySettings: Query<Settings> = {
  text: `select current_setting('fsync') = 'on' as fsync, current_setting('synchronous_commit') as commit,
    current_setting('synchronous_standby_names') as standbys`,
  row: (row) => ({
    fsync: row.boolean('fsync'),
    commit: row.text('commit'),
    standbys: row.text('standbys'),
  }),
};
