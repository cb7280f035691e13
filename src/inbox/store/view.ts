/**
 * The inbox as `lastcall inbox` shows it: which updates it holds, and in which state each is. A view only reads, and
 * can be used while a process works with the inbox, after one has died, or between two runs. It begins with a
 * snapshot and reads the contents of updates later; if the process at work has removed them meanwhile, it takes a new
 * snapshot.
 */
import { codeOf } from '../../system-error.js';
import { orderKey, type Seq, seq } from '../ids.js';
import { type Disk, systemDisk } from '../log/disk.js';
import { DamagedRecordError, readPayload } from '../log/scan.js';
import { type SeenUpdate, type UpdateState, updateStates } from '../seen-update.js';
import type { Batch } from './batch.js';
import { accessError } from './inbox-error.js';
import {
  type DeadLettersOnDisk,
  type LetterSummary,
  readDeadLetters,
  readLetterPayload,
} from './read-dead-letters.js';
import { logFolder } from './read-log.js';
import { parseRecord, type StoredUpdate, unsettledUpdates } from './record-cache.js';
import { decodeDeadLetter } from './record-codec.js';
import type { DeadLetter } from './records.js';
import { readSnapshot, type Snapshot, type SnapshotOptions } from './snapshot.js';

export interface ViewOptions extends Omit<SnapshotOptions, 'disk'> {
  /** Default: the system's. */
  readonly disk?: Disk;
  keyOf(update: unknown): string;
  kindOf(update: unknown): string;
}

/** How often in a row files may go while they are read. More often, it is the disk that loses them. */
const MAX_ATTEMPTS = 10;

export class InboxView {
  readonly #options: ViewOptions & SnapshotOptions;
  #snapshot: Snapshot;
  /** The dead letters of the snapshot; read again when their file was rewritten since. */
  #deadLetters: DeadLettersOnDisk;

  /**
   * Reads the whole inbox, but not the contents of updates. Throws INBOX_FOREIGN, INBOX_NEWER, INBOX_FORBIDDEN,
   * INBOX_DISK.
   */
  constructor(options: ViewOptions) {
    this.#options = { disk: systemDisk, ...options };
    this.#snapshot = this.#readSnapshot();
    this.#deadLetters = this.#snapshot.deadLetters;
  }

  /** How many updates are in each state. */
  get counts(): Readonly<Record<UpdateState, number>> {
    const { ledger, dead, begun } = this.#snapshot;
    const alive = ledger.size - [...dead].filter((seq) => ledger.batchOf(seq)).length;
    const aliveBegun = [...begun].filter((seq) => !dead.has(seq)).length;
    const counts = { running: 0, interrupted: 0, waiting: alive - aliveBegun, dead: dead.size };
    return { ...counts, [this.#stateOfBegun]: aliveBegun };
  }

  /** Whether some of the inbox cannot be read any more. */
  get damaged(): boolean {
    const { scan, oldDamagedBytes = 0 } = this.#deadLetters;
    return this.#snapshot.damagedBytes + scan.damagedBytes + oldDamagedBytes > 0;
  }

  /** The state of an update, or undefined if the inbox does not hold it. */
  stateOf(seq: Seq): UpdateState | undefined {
    const { ledger, dead, begun } = this.#snapshot;
    if (dead.has(seq)) return 'dead';
    if (!ledger.batchOf(seq)) return undefined;
    return begun.has(seq) ? this.#stateOfBegun : 'waiting';
  }

  /**
   * The updates in these states, read one by one as they are asked for: first those that are alive, in order of
   * arrival, then the dead, the oldest first. Throws INBOX_FOREIGN, INBOX_NEWER, INBOX_FORBIDDEN, INBOX_DISK.
   */
  *updates(states: readonly UpdateState[] = updateStates): Generator<SeenUpdate> {
    yield* this.#alive(states);
    if (!states.includes('dead')) return;
    for (const letter of this.#deadLetters.index.list()) yield this.#seenLetter(letter);
  }

  *#alive(states: readonly UpdateState[]): Generator<SeenUpdate> {
    let next = seq(0);
    for (;;) {
      const found = this.#retrying(
        () => this.#batchFrom(next, states),
        () => {
          this.#snapshot = this.#readSnapshot();
          this.#deadLetters = this.#snapshot.deadLetters;
        },
      );
      if (!found) return;
      next = found.next;
      yield* found.updates;
    }
  }

  /** The updates of the first batch from this number on, and the number to go on with. */
  #batchFrom(
    first: Seq,
    states: readonly UpdateState[],
  ): { readonly updates: readonly SeenUpdate[]; readonly next: Seq } | undefined {
    const batch = this.#snapshot.ledger.batchFrom(first);
    if (!batch) return undefined;
    const wanted = batch.seqs.filter((of) => {
      const state = this.stateOf(of);
      return of >= first && state !== undefined && state !== 'dead' && states.includes(state);
    });
    const updates = wanted.length === 0 ? [] : this.#readBatch(batch, wanted);
    return { updates, next: seq(batch.last + 1) };
  }

  #readBatch(batch: Batch, wanted: readonly Seq[]): readonly SeenUpdate[] {
    const { disk, folder } = this.#options;
    const payload = readPayload(disk, logFolder(folder), this.#snapshot.segments, batch.extent);
    const record = parseRecord(payload);
    return unsettledUpdates(batch, record, wanted).map((update) => this.#seenUpdate(update));
  }

  #seenUpdate({ seq: of, updateId, acceptedAtMs: atMs, content }: StoredUpdate): SeenUpdate {
    const { keyOf, kindOf } = this.#options;
    const { attempts, deaths, cuts, notBeforeMs } = this.#snapshot.ledger.historyOf(of);
    return {
      seq: of,
      updateId,
      key: orderKey(keyOf(content)),
      kind: kindOf(content),
      state: this.#snapshot.begun.has(of) ? this.#stateOfBegun : 'waiting',
      atMs,
      attempts,
      deaths,
      cuts,
      notBeforeMs: notBeforeMs > this.#options.now() ? notBeforeMs : undefined,
      why: undefined,
      error: undefined,
      text: () => Buffer.from(JSON.stringify(content)),
    };
  }

  #seenLetter(letter: LetterSummary): SeenUpdate {
    const read = () => this.#readLetter(letter.seq);
    return {
      ...letter,
      state: 'dead',
      deaths: undefined,
      cuts: undefined,
      notBeforeMs: undefined,
      get error() {
        return read()?.letter.error;
      },
      text: () => read()?.content,
    };
  }

  /** Undefined if the letter is gone. */
  #readLetter(of: Seq): { readonly letter: DeadLetter; readonly content: Buffer } | undefined {
    const { disk, folder } = this.#options;
    return this.#retrying(
      () => {
        const { index, scan } = this.#deadLetters;
        const letter = index.get(of);
        return letter && decodeDeadLetter(readLetterPayload(disk, folder, scan.segments, letter));
      },
      () => {
        this.#deadLetters = readDeadLetters(disk, folder);
      },
    );
  }

  #readSnapshot(): Snapshot {
    return this.#retrying(() => readSnapshot(this.#options));
  }

  /** The state of updates whose handler has begun and not ended. */
  get #stateOfBegun(): UpdateState {
    return this.#options.runId === undefined ? 'interrupted' : 'running';
  }

  /** Reads again if a file has gone, or a record has, that was there a moment ago. */
  #retrying<T>(read: () => T, beforeRetry = () => {}): T {
    for (let attempt = 1; ; attempt++) {
      try {
        return read();
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isGone(error))
          throw accessError(this.#options.folder, 'read', error);
        beforeRetry();
      }
    }
  }
}

const isGone = (error: unknown): boolean => error instanceof DamagedRecordError || codeOf(error) === 'ENOENT';
