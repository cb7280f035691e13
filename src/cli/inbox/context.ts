/** What every subcommand of `lastcall inbox` is given. */
import type { BotInbox } from './choose-inbox.js';
import type { Filter } from './filter.js';

/** The parts of the process that the command uses. */
export interface InboxIo {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: Pick<NodeJS.WritableStream, 'write'>;
  /** Ends the command when it aborts. */
  readonly signal: AbortSignal;
}

/** Options that take no value. */
export const switchNames = ['all', 'dead', 'json', 'waiting'] as const;
export type Switch = (typeof switchNames)[number];

export interface InboxContext {
  readonly io: InboxIo;
  readonly inbox: BotInbox;
  /** The update ids from the command line, without duplicates. */
  readonly ids: readonly number[];
  readonly switches: ReadonlySet<Switch>;
  /** Selects among the dead letters, if the command line does. */
  readonly filter: Filter | undefined;
}
