/** An inbox as the subcommands see it, on the disk of this machine or in a database. */
import type { Seq } from '../../inbox/ids.js';
import type { SeenUpdate, UpdateState } from '../../inbox/seen-update.js';
import type { InboxRequest } from '../../inbox/store/requests.js';
import type { RequestResult } from './request.js';

export interface Selection {
  readonly states: readonly UpdateState[];
  /** Only updates with these ids. Telegram may reuse an id, so one id may stand for several updates. */
  readonly ids?: readonly number[];
}

export interface OpenedInbox {
  readonly botKey: string;
  /** Where it is, for programs. */
  readonly place: { readonly folder: string } | { readonly database: string };
  /** Whether a process is at work with it. */
  readonly isAttended: boolean;
  /** Whether some of it cannot be read any more. */
  readonly isDamaged: boolean;
  /** How many updates are in each state. */
  readonly counts: Readonly<Record<UpdateState, number>>;
  /** Yields first the updates that are alive, in order of arrival, then the dead, the oldest first. */
  updates(selection: Selection): AsyncIterable<SeenUpdate>;
  /** The state of each update now; one that the inbox does not hold has none. */
  statesOf(seqs: readonly Seq[]): Promise<ReadonlyMap<Seq, UpdateState>>;
  /** Describes now, in a sentence, who works with it. */
  usersInWords(): Promise<string>;
  request(request: InboxRequest, signal: AbortSignal): Promise<RequestResult>;
  close(): Promise<void>;
}
