/** The context that every subcommand of `lastcall inbox` gets. */
import type { CommandContext } from '../command.js';
import type { Filter } from './filter.js';
import type { OpenedInbox } from './opened-inbox.js';

/** Options that take no value. */
export const switchNames = ['all', 'dead', 'json', 'waiting'] as const;
export type Switch = (typeof switchNames)[number];

export interface InboxContext {
  readonly io: Pick<CommandContext, 'stdout' | 'stderr' | 'signal'>;
  readonly inbox: OpenedInbox;
  /** The update ids from the command line, without duplicates. */
  readonly ids: readonly number[];
  readonly switches: ReadonlySet<Switch>;
  /** Selects among the dead letters, if the command line does. */
  readonly filter: Filter | undefined;
}

export function warnIfDamaged({ io, inbox }: InboxContext): void {
  if (inbox.isDamaged) io.stderr.write('warning: part of the inbox is unreadable; showing the rest\n');
}
