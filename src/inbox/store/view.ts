/**
 * The inbox as those see it who only read: while a process works with it, after one has died, or between two runs. It
 * writes nothing, makes nothing and keeps nobody from anything. The process at work goes on meanwhile: what is seen is
 * how it was at some moment of the reading, and where the log was cleaned in between, it is read once more.
 */
import { LastcallError } from '../../errors.js';
import { codeOf } from '../../system-error.js';
import type { DeadReason } from '../inbox.js';
import type { Disk } from '../log/disk.js';
import { frameAt } from '../log/frame.js';
import { type Place, segmentPath } from '../log/scan.js';
import type { Batch } from './batch.js';
import { DeadLetters } from './dead-letters.js';
import { inboxError } from './inbox-error.js';
import { Ledger } from './ledger.js';
import { logFolder, readLog } from './read-log.js';
import { type DeadLetter, decodeHead, decodeUpdates, type Indexed, RecordKind } from './records.js';

/**
 * - `running`: its handler is at work;
 * - `interrupted`: its handler was when its process died, and no process works with the inbox now;
 * - `waiting`: for its turn, whether it was begun by an earlier run or not;
 * - `dead`: not tried any more, unless somebody asks for it.
 */
export const updateStates = ['running', 'interrupted', 'waiting', 'dead'] as const;
export type UpdateState = (typeof updateStates)[number];

export interface SeenUpdate extends Indexed {
  readonly state: UpdateState;
  /** When it arrived; of a dead one, when it was given up. Milliseconds since 1970. */
  readonly atMs: number;
  /** How many runs of the program have begun it. */
  readonly attempts: number;
  /** How many of those died of it, or beside it; not known of a dead one. */
  readonly deaths: number | undefined;
  /** Of a dead one. */
  readonly why: DeadReason | undefined;
  readonly error: string | undefined;
  /** Its content as it was written; undefined where it is gone meanwhile. Throws as the view does. */
  text(): Buffer | undefined;
}

export interface ViewOptions {
  readonly disk: Disk;
  /** The folder of the inbox; absolute. */
  readonly folder: string;
  /** The bot's key. */
  readonly bot: string;
  /** The id of the run that works with the inbox now; undefined where none does. */
  readonly owner: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  keyOf(update: unknown): string;
  kindOf(update: unknown): string;
}

/** How often in a row the log may be cleaned under the reader's eyes; a disk that loses files is another matter. */
const MOST_SCANS = 10;

export class InboxView {
  readonly #options: ViewOptions;
  #ledger = new RunLedger();
  /** Where the log's segments begin, in order. */
  #segments: readonly number[] = [];
  #deadLetters: DeadLetters;
  #dead: ReadonlySet<number> = new Set();
  /** Begun, and neither settled nor cut, by the run that works with the inbox now; or, where none does, by the last. */
  #begun: ReadonlySet<number> = new Set();
  #damagedBytes = 0;

  /**
   * Reads what is there, without the contents.
   *
   * @throws LastcallError INBOX_FOREIGN, INBOX_NEWER, INBOX_FORBIDDEN, INBOX_DISK
   */
  constructor(options: ViewOptions) {
    this.#options = options;
    this.#deadLetters = this.#scan();
  }

  get counts(): Readonly<Record<UpdateState, number>> {
    const inBoth = [...this.#dead].filter((seq) => this.#ledger.batchOf(seq));
    const logged = this.#ledger.size - inBoth.length;
    const begun = [...this.#begun].filter((seq) => !this.#dead.has(seq)).length;
    const counts = { running: 0, interrupted: 0, waiting: logged - begun, dead: this.#dead.size };
    return { ...counts, [this.#begunState]: begun };
  }

  /** Whether some of what was safe cannot be read any more. */
  get damaged(): boolean {
    return this.#damagedBytes > 0 || this.#deadLetters.damaged;
  }

  /** Undefined where there is no such update (any more). */
  stateOf(seq: number): UpdateState | undefined {
    if (this.#dead.has(seq)) return 'dead';
    if (!this.#ledger.batchOf(seq)) return undefined;
    return this.#begun.has(seq) ? this.#begunState : 'waiting';
  }

  /**
   * Those in these states, read as they are asked for: first what is in the log, in order of arrival, then the dead, the
   * oldest first. Throws as the constructor does.
   */
  *updates(states: readonly UpdateState[] = updateStates): Generator<SeenUpdate> {
    yield* this.#logged(states);
    if (!states.includes('dead')) return;
    for (const letter of this.#deadLetters.list()) yield this.#seenLetter(letter);
  }

  *#logged(states: readonly UpdateState[]): Generator<SeenUpdate> {
    const isWanted = (seq: number) => states.some((state) => state !== 'dead' && state === this.stateOf(seq));
    let scans = 0;
    let from = 0;
    for (let batch = this.#ledger.batchFrom(from); batch; batch = this.#ledger.batchFrom(from)) {
      const wanted = new Set(batch.seqs.filter((seq) => seq >= from && isWanted(seq)));
      const record = wanted.size === 0 ? undefined : this.#record(batch.place);
      if (wanted.size > 0 && !record) {
        if (++scans === MOST_SCANS)
          throw this.#error(new Error(`the record at ${batch.place.position} is damaged`));
        this.#deadLetters = this.#scan();
        continue;
      }
      scans = 0;
      from = batch.last + 1;
      if (record) yield* this.#seen(record, wanted);
    }
  }

  *#seen(record: Buffer, wanted: ReadonlySet<number>): Generator<SeenUpdate> {
    const { keyOf, kindOf } = this.#options;
    const { atMs, seqs, ids, places, contents } = decodeUpdates(record);
    const updates = contents();
    for (const [turn, seq] of seqs.entries()) {
      const [updateId, update] = [ids[turn], updates[places[turn] ?? -1]];
      const state = wanted.has(seq) ? this.stateOf(seq) : undefined;
      if (!state || updateId === undefined) continue;
      const { runs: attempts, deaths } = this.#ledger.historyOf(seq);
      const [key, kind] = [keyOf(update), kindOf(update)];
      const text = () => Buffer.from(JSON.stringify(update));
      const of = { seq, updateId, key, kind, state, atMs, attempts, deaths };
      yield { ...of, why: undefined, error: undefined, text };
    }
  }

  #seenLetter({ seq, updateId, key, kind, why, attempts, atMs, error }: DeadLetter): SeenUpdate {
    const text = () => this.#letterText(seq);
    return { seq, updateId, key, kind, state: 'dead', atMs, attempts, deaths: undefined, why, error, text };
  }

  #letterText(seq: number): Buffer | undefined {
    return this.#reading(() => {
      const text = this.#deadLetters.text(seq);
      if (text) return text;
      // The file has been written anew since, or the letter is gone.
      this.#deadLetters = this.#readDeadLetters();
      return this.#deadLetters.text(seq);
    });
  }

  /** The payload of a record of updates; undefined where its segment was removed since. */
  #record({ position, length }: Place): Buffer | undefined {
    const { disk, folder } = this.#options;
    const base = this.#segments.findLast((begin) => begin <= position) ?? 0;
    try {
      return frameAt(disk.read(segmentPath(logFolder(folder), base), position - base, length), 0)?.payload;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw this.#error(error);
    }
  }

  /** The log first: an update that dies meanwhile is then seen twice, which can be told, and not overlooked. */
  #scan(): DeadLetters {
    const { disk, folder, bot, owner } = this.#options;
    return this.#reading(() => {
      const ledger = new RunLedger();
      const { segments, damagedBytes } = readLog(disk, folder, ledger, bot);
      const deadLetters = this.#readDeadLetters();
      this.#ledger = ledger;
      this.#segments = segments;
      this.#damagedBytes = damagedBytes;
      this.#dead = new Set(deadLetters.list().map(({ seq }) => seq));
      // The run that works with the inbox now need not have written anything yet.
      if (owner !== undefined && owner !== (ledger.run ?? owner)) ledger.endRun();
      this.#begun = new Set([...ledger.histories()].flatMap(([seq, { begun }]) => (begun ? [seq] : [])));
      if (owner === undefined) ledger.endRun();
      return deadLetters;
    });
  }

  #readDeadLetters(): DeadLetters {
    const { disk, folder, now } = this.#options;
    return new DeadLetters({ disk, folder, now });
  }

  get #begunState(): UpdateState {
    return this.#options.owner === undefined ? 'interrupted' : 'running';
  }

  /** Once more where a file is gone that was there a moment ago. */
  #reading<T>(read: () => T): T {
    for (let scans = 1; ; scans++) {
      try {
        return read();
      } catch (error) {
        if (!isGone(error) || scans === MOST_SCANS) throw this.#error(error);
      }
    }
  }

  #error(cause: unknown): LastcallError {
    const { folder } = this.#options;
    const code = codeOf(cause);
    if (code !== 'EACCES' && code !== 'EPERM') return inboxError(folder, 'read', cause);
    return new LastcallError('INBOX_FORBIDDEN', folder, `this user may not read the inbox in ${folder}`, {
      cause,
    });
  }
}

const isGone = (error: unknown): boolean => codeOf(error) === 'ENOENT';

/** Knows which run wrote the log last: what earlier ones had begun, they died of. */
class RunLedger extends Ledger {
  run: string | undefined;

  override replay(record: Parameters<Ledger['replay']>[0], place: Batch['place']): void {
    if (record.kind === RecordKind.head) {
      const { run } = decodeHead(record.payload);
      if (run !== this.run) this.endRun();
      this.run = run;
    }
    super.replay(record, place);
  }
}
