/**
 * The way of each update: waiting in the queue, delivered by a poll, confirmed by an offset, or expired; and the calls by
 * which the bot has answered it. Only the newest updates are kept.
 */
import type { Clock } from '../../clock.js';
import { isObject } from '../../json.js';
import { NewestMap } from '../newest-map.js';
import type { Answer, Delivery, UpdateRecord, UpdateState } from './update-record.js';

/** The number of newest updates that are kept, and at most twice as many. */
const LIMIT = 10_000;
/** The number of deliveries and answers that are kept of each update; later ones are only counted. */
const MAX_DETAILS = 20;

/** What updates can be listed by: `answered` and `unanswered` are those with and without an answer, wherever they are. */
export const updateFilters = [
  'waiting',
  'delivered',
  'confirmed',
  'expired',
  'dropped',
  'answered',
  'unanswered',
] as const satisfies readonly (UpdateState | 'answered' | 'unanswered')[];

/** The record of an update that is in the queue. Only the log changes it. */
export type MutableRecord = { -readonly [Field in keyof UpdateRecord]: UpdateRecord[Field] } & {
  readonly deliveries: Delivery[];
  readonly answers: Answer[];
};

/** A call that answers. */
export interface AnsweringCall {
  readonly number: number;
  readonly method: string;
}

/** What a call answers. */
interface AnswerTo {
  readonly updateId?: number | undefined;
  readonly chat?: number;
  /** Whether the id is only that of the update whose turn it is. */
  readonly isGuess?: boolean;
}

/**
 * So long before the last delivered update of its chat, a bot that has not answered an update has probably nothing to say to
 * it: as with most of what people write in groups.
 */
const LEFT_BEHIND_MS = 5_000;

export interface UpdateFilter {
  readonly state?: (typeof updateFilters)[number] | undefined;
  readonly chat?: number | undefined;
  readonly kind?: string | undefined;
  /** Only updates with an id above this one. */
  readonly since?: number | undefined;
}

export class UpdateLog {
  readonly #clock: Clock;
  readonly #onChange: (id: number) => void;
  readonly #records = new NewestMap<number, MutableRecord>(LIMIT);
  /** The update of each chat that was delivered last. */
  readonly #lastDelivered = new Map<number, MutableRecord>();

  /** Calls `onChange` with the id of each update that has come or gone on in its way. */
  constructor(clock: Clock, onChange: (id: number) => void = () => {}) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Adds an update that waits, and returns its record. The content is `{ kind: … }`. */
  add(id: number, content: object, json: string): MutableRecord {
    const [[kind, value] = ['', undefined]] = Object.entries(content);
    const record: MutableRecord = {
      id,
      kind,
      chat: chatOf(value),
      queuedAtMs: this.#clock.now(),
      state: 'waiting',
      deliveryCount: 0,
      deliveries: [],
      answerCount: 0,
      answers: [],
      json,
    };
    // An id that comes again, after its queue was set back, is a new update.
    this.#records.set(id, record);
    this.#onChange(id);
    return record;
  }

  delivered(records: Iterable<MutableRecord>, call: number | undefined, received: boolean): void {
    const delivery = { atMs: this.#clock.now(), call, received };
    for (const record of records) {
      record.state = 'delivered';
      record.deliveryCount++;
      if (record.deliveries.length < MAX_DETAILS) record.deliveries.push(delivery);
      if (record.chat !== undefined) this.#lastDelivered.set(record.chat, record);
      this.#onChange(record.id);
    }
  }

  /** Updates have left the queue. */
  left(records: Iterable<MutableRecord>, state: 'confirmed' | 'expired' | 'dropped', offset?: number): void {
    const leftAtMs = this.#clock.now();
    for (const record of records) {
      record.state = state;
      record.leftAtMs = leftAtMs;
      if (offset !== undefined) record.confirmedBy = offset;
      this.#onChange(record.id);
    }
  }

  /** Records the answer to an update, or, without its id, to the last delivered update of a chat. */
  answered(to: AnswerTo, call: AnsweringCall): void {
    const record = this.#answeredBy(to);
    if (!record) return;
    record.answerCount++;
    this.#onChange(record.id);
    if (record.answers.length >= MAX_DETAILS) return;
    record.answers.push({ atMs: this.#clock.now(), call: call.number, method: call.method });
  }

  #answeredBy({ updateId, chat, isGuess = false }: AnswerTo): MutableRecord | undefined {
    const named = updateId === undefined ? undefined : this.#records.get(updateId);
    if (named && !isGuess) return named;
    const last = chat === undefined ? undefined : this.#lastDelivered.get(chat);
    return named && !isLeftBehind(named, last) ? named : last;
  }

  find(id: number): UpdateRecord | undefined {
    const record = this.#records.get(id);
    return record && copy(record);
  }

  /** Returns the updates that match, oldest first. */
  list({ state, chat, kind, since = Number.NEGATIVE_INFINITY }: UpdateFilter = {}): readonly UpdateRecord[] {
    const isInState = (record: UpdateRecord) =>
      state === undefined ||
      (state === 'answered'
        ? record.answerCount > 0
        : state === 'unanswered'
          ? record.answerCount === 0
          : record.state === state);
    return this.#records
      .values()
      .filter(
        (record) =>
          record.id > since &&
          isInState(record) &&
          (chat === undefined || record.chat === chat) &&
          (kind === undefined || record.kind === kind),
      )
      .map(copy);
  }
}

/** Whether an answer is rather one to the last delivered update of the chat. */
function isLeftBehind(record: MutableRecord, last: MutableRecord | undefined): boolean {
  if (!last || last === record) return false;
  if (hasAnswer(record)) return !hasAnswer(last);
  const deliveredAt = ({ deliveries }: MutableRecord) => deliveries.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
  return deliveredAt(last) - deliveredAt(record) > LEFT_BEHIND_MS;
}

/** Whether the bot has said anything to an update, beside that it types. */
const hasAnswer = ({ answers }: MutableRecord): boolean =>
  answers.some(({ method }) => method.toLowerCase() !== 'sendchataction');

const copy = (record: MutableRecord): UpdateRecord => ({
  ...record,
  deliveries: [...record.deliveries],
  answers: [...record.answers],
});

/** Returns the chat that an update belongs to, by the fields that name it in each kind. */
function chatOf(content: unknown): number | undefined {
  if (!isObject(content)) return undefined;
  const { chat, message } = content;
  const named = isObject(chat) ? chat : isObject(message) ? message['chat'] : undefined;
  const id = isObject(named) ? named['id'] : undefined;
  return typeof id === 'number' ? id : undefined;
}
