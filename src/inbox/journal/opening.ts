/** Opens the journal: acquires the folder, reads what is there, and creates the parts of the inbox. */
import type { Counters } from '../counters.js';
import type { InboxEvent } from '../events.js';
import type { OrderKey } from '../ids.js';
import type { InboxOptions } from '../inbox.js';
import type { Disk } from '../log/disk.js';
import { GroupCommit } from '../log/group-commit.js';
import type { TurnOptions } from '../log/reading.js';
import type { Batch } from '../store/batch.js';
import type { DeadLetterLimits } from '../store/dead-letters.js';
import { openingError } from '../store/inbox-error.js';
import { assertNotMoving } from '../store/moving.js';
import { openStore } from '../store/open-store.js';
import { HEARTBEAT_MS, Owner } from '../store/owner.js';
import { checkFirstHeader } from '../store/read-log.js';
import type { StoredUpdate } from '../store/record-cache.js';
import { requestsFolder } from '../store/requests.js';
import type { Store } from '../store/store.js';
import { Backlog } from './backlog.js';
import { Capacity, type CapacityLimits } from './capacity.js';
import { DeadLetterPolicy } from './dead-letter-policy.js';
import { Item } from './item.js';
import { RequestHandler } from './request-handler.js';

export interface JournalOptions<U> extends InboxOptions<U> {
  /** The folder of this bot's inbox; absolute. */
  readonly folder: string;
  /** The bot's key: an inbox of another bot is refused. */
  readonly bot: string;
  /** What an accepted update survives. */
  readonly durability: 'power' | 'process';
  /** After how many attempts in a row that ended with the process an update is given up; 0: never. */
  readonly maxAttempts: number;
  readonly deadLetterLimits?: Partial<DeadLetterLimits>;
  /** How many handlers may be at work at once. */
  readonly concurrency: number;
  /** How many updates may wait before no more are taken from Telegram. */
  readonly limit: number;
  /** The process that works with the inbox: where it runs, as far as the bot's lock reaches, and a unique id. */
  readonly holder: { readonly place: string; readonly id: string };
  /** The JSON of a batch as it was received, if that is known: an array, or an answer with an array as its `result`. */
  received?(batch: readonly U[]): Uint8Array | undefined;
  /** Makes an update of its JSON. */
  restore(content: unknown): U;
  /** Puts an error into words that may be kept. */
  errorText(error: unknown): string;
  emit(event: InboxEvent): void;
  readonly disk: Disk;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The system's clock, in milliseconds since 1970. It goes on while the process stands still; `now` may be corrected since. */
  readonly systemNow: () => number;
  /** How long ago a time was that `now` has told. */
  readonly ageOf: (atMs: number) => number;
  readonly capacity?: Partial<CapacityLimits>;
  readonly segmentBytes?: number;
  /** Called with how long it took, in milliseconds, to make safe what was written. Must not throw. */
  commitTimed?(durationMs: number): void;
}

/** The parts of an open journal inbox. */
export interface JournalParts<U extends { readonly update_id: number }> {
  readonly owner: Owner;
  readonly store: Store;
  readonly backlog: Backlog<U>;
  readonly capacity: Capacity;
  readonly commits: GroupCommit;
  readonly policy: DeadLetterPolicy<U>;
  readonly requests: RequestHandler;
}

/** The least number of loaded updates, so that no free slot waits for the disk. */
const LOADED_LEAST = 1_000;
/** See `SHARED` in backlog.ts: a quarter of this is 1, so that each slot can have an update of a chat of its own. */
const LOADED_PER_HANDLER = 4;
const LOADED_BYTES = 16 * 1024 * 1024;
const LOADED_OF_KEY = 64;

/**
 * Opens the journal, and tells what earlier runs left. The folder is given back where that fails, or the signal aborts.
 *
 * Rejects with INBOX_UNAVAILABLE, INBOX_FOREIGN, INBOX_NEWER, INBOX_IN_USE or INBOX_DISK, and with the signal's reason.
 *
 * @param failed called when background work (a commit, maintenance) has failed
 * @param turns how opening takes turns with other work
 */
export async function openJournal<U extends { readonly update_id: number }>(
  options: JournalOptions<U>,
  counters: Counters,
  failed: (error: unknown) => void,
  { signal, progress }: TurnOptions = {},
): Promise<JournalParts<U>> {
  const { folder, bot, disk, now, clock, holder, durability, segmentBytes, emit } = options;
  const { deadLetterLimits, ageOf } = options;
  const owner = new Owner({
    disk,
    folder,
    clock,
    ...holder,
    waiting: (place, waitMs) => emit({ event: 'inbox.waiting', place, waitMs }),
  });
  try {
    assertNotMoving(disk, folder);
    // The header is checked first, so that nothing of another bot's inbox is touched.
    checkFirstHeader(disk, folder, bot);
    disk.makeFolder(requestsFolder(folder));
    await owner.acquire(signal);
  } catch (error) {
    owner.close();
    if (signal?.aborted) throw error;
    throw openingError(folder, error);
  }
  let store: Store | undefined;
  let beatAt = clock.now();
  try {
    const opened = await openStore({
      disk,
      folder,
      bot,
      runId: holder.id,
      survivesPowerCut: durability === 'power',
      now,
      ageOf,
      ...(deadLetterLimits && { deadLetterLimits }),
      ...(segmentBytes !== undefined && { segmentBytes }),
      turns: {
        signal,
        progress() {
          progress?.();
          if (clock.now() - beatAt < HEARTBEAT_MS) return;
          owner.heartbeat();
          beatAt = clock.now();
        },
      },
    });
    store = opened;
    signal?.throwIfAborted();
    const survives = durability === 'power' && (disk.outlastsPower?.(folder) ?? true) ? 'power' : 'process';
    emit({ event: 'inbox.opened', path: folder, survives });
    const parts = assemble(options, { owner, store: opened }, counters, failed);
    recover(parts, counters, emit);
    return parts;
  } catch (error) {
    store?.close();
    releaseQuietly(owner);
    throw error;
  }
}

/** Releases the folder, so that the next process need not wait for a heartbeat. Ignores errors. */
function releaseQuietly(owner: Owner): void {
  try {
    owner.release();
  } catch {
    // The caller rethrows the first error.
  }
}

function assemble<U extends { readonly update_id: number }>(
  options: JournalOptions<U>,
  { owner, store }: Pick<JournalParts<U>, 'owner' | 'store'>,
  counters: Counters,
  failed: (error: unknown) => void,
): JournalParts<U> {
  const { disk, folder, concurrency, limit, maxAttempts, clock, now, emit } = options;
  const { keyOf, kindOf, restore, errorText, commitTimed } = options;
  const { ledger } = store;
  const itemOf = (
    { seq, acceptedAtMs, content }: StoredUpdate,
    { bytesEach: bytes }: Batch,
    key?: OrderKey,
  ) => {
    // What is read is not begun: it has been settled, put back or cut since, or its process is gone.
    const { attempts, putBacks, retries } = ledger.endedAttemptsOf(seq);
    return new Item(
      restore(content),
      { seq, attempt: attempts + 1, putBacks, retries, acceptedAtMs, bytes },
      options,
      key,
    );
  };
  const policy = new DeadLetterPolicy<U>({
    store,
    maxAttempts,
    keyOf,
    kindOf,
    restore,
    errorText,
    now,
    emit,
  });
  const backlog = new Backlog<U>({
    ledger,
    read: (batch, seqs, key) => store.read(batch, seqs).map((stored) => itemOf(stored, batch, key)),
    readAgain(seq, key) {
      const [stored, batch] = [store.readOne(seq), ledger.batchOf(seq)];
      return stored && batch && itemOf(stored, batch, key);
    },
    isSuspect: (history) => policy.isSuspect(history),
    clock,
    now,
    available: () => options.available(),
    failed,
    limits: {
      updates: Math.max(LOADED_LEAST, LOADED_PER_HANDLER * concurrency),
      bytes: LOADED_BYTES,
      updatesOfKey: LOADED_OF_KEY,
    },
  });
  const capacity = new Capacity({
    limits: { updates: limit, ...options.capacity },
    level: () => ({ updates: ledger.size, bytes: store.logBytes }),
    freeBytes: () => store.freeBytes,
    clock,
    emit,
  });
  const commits = new GroupCommit({
    commit: () => store.commit(),
    failed,
    ...(commitTimed && { timed: commitTimed }),
    clock,
  });
  const requests = new RequestHandler({ disk, folder, store, counters, emit });
  return { owner, store, backlog, capacity, commits, policy, requests };
}

/** Tells what earlier runs left, and gives up what too many processes have died of. Throws INBOX_DISK. */
function recover<U extends { readonly update_id: number }>(
  { store, policy }: JournalParts<U>,
  counters: Counters,
  emit: (event: InboxEvent) => void,
): void {
  const { ledger, damage } = store;
  for (const damaged of damage) emit({ event: 'inbox.damaged', ...damaged });
  counters.recovered = ledger.size;
  if (ledger.size > 0) {
    const histories = ledger.histories();
    const died = histories.filter(([, { deaths }]) => deaths > 0).length;
    emit({ event: 'inbox.recovered', updates: ledger.size, begun: histories.length, died });
  }
  counters.dropped += policy.giveUpExhausted();
}
