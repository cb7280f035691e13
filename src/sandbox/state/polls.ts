/** The polls of a bot: what they ask, and who has voted for what. */
import type { MessageEntity } from '../text/entity.js';

interface PollOption {
  readonly persistent_id: string;
  readonly text: string;
  readonly text_entities?: readonly MessageEntity[];
  readonly voter_count: number;
}

/** A poll in the format of the Bot API. */
export interface Poll {
  readonly id: string;
  readonly question: string;
  readonly options: readonly PollOption[];
  readonly total_voter_count: number;
  readonly is_closed: boolean;
  readonly is_anonymous: boolean;
  readonly allows_multiple_answers: boolean;
  readonly [field: string]: unknown;
}

interface KnownPoll {
  readonly poll: Poll;
  readonly chat: number;
  readonly messageId: number;
  /** The numbers of the options that each person has chosen. */
  readonly votes: ReadonlyMap<number, readonly number[]>;
}

export class Polls {
  readonly #polls = new Map<string, KnownPoll>();

  add(poll: Poll, chat: number, messageId: number): void {
    this.#polls.set(poll.id, { poll, chat, messageId, votes: new Map() });
  }

  find(id: string): KnownPoll | undefined {
    return this.#polls.get(id);
  }

  /** Replaces the votes of a person; an empty list takes them back. Returns the poll as it is then. */
  vote(id: string, person: number, options: readonly number[]): Poll | undefined {
    const known = this.#polls.get(id);
    if (!known) return undefined;
    const votes = new Map(known.votes).set(person, options);
    if (options.length === 0) votes.delete(person);
    const all = [...votes.values()].flat();
    return this.#store(known, {
      votes,
      poll: {
        ...known.poll,
        total_voter_count: votes.size,
        options: known.poll.options.map((option, index) => ({
          ...option,
          voter_count: all.filter((chosen) => chosen === index).length,
        })),
      },
    });
  }

  close(id: string): Poll | undefined {
    const known = this.#polls.get(id);
    return known && this.#store(known, { poll: { ...known.poll, is_closed: true } });
  }

  #store(known: KnownPoll, changes: Partial<KnownPoll>): Poll {
    const changed = { ...known, ...changes };
    this.#polls.set(changed.poll.id, changed);
    return changed.poll;
  }
}
