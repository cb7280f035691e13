/**
 * Writes the record of this run to one small file per bot, from which the next run can tell how this run ended. Each
 * change of phase is written synchronously, because the process may be killed right after it.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LifecycleEvent } from '../lifecycle/events.js';
import { makeFolder } from '../make-folder.js';
import { overwriteFile, replaceFile } from '../replace-file.js';
import { codeOf } from '../system-error.js';
import { readBootId } from './boot-id.js';
import { replaceFileByChild } from './child-writer.js';
import type { KilledRun, PreviousRunEvent } from './events.js';
import { isAlive } from './is-alive.js';
import { currentPlace } from './place.js';
import { describeKill } from './previous-run.js';
import {
  LAST_RUN_FILE,
  parseRunRecord,
  type Receipt,
  type RunRecord,
  type SupervisorKind,
} from './run-record.js';

export interface RunRecorderOptions {
  /** The directory with one folder per bot, or undefined if there is none. */
  readonly stateDir: string | undefined;
  /** How long a stop may take according to the settings. */
  readonly stopTimeoutMs: number;
  readonly supervisor: SupervisorKind;
  /** How long after a stop request the supervisor kills, if known. */
  readonly killAfterMs: number | undefined;
  readonly emit: (event: PreviousRunEvent) => void;
  /** Called when the bot's file is written from now on, with what is known of the previous run. Must not throw. */
  readonly began?: (
    key: string,
    botId: number,
    previous: RunRecord | undefined,
    killed: KilledRun | undefined,
  ) => void;
  /** The current time, in milliseconds since 1970. */
  readonly now?: () => number;
  readonly pid?: number;
  readonly bootId?: string | undefined;
  /** Where this process runs, as far as the bot's lock reaches. */
  readonly place?: string;
}

/** The fields of a record that a change of phase sets. */
type PhaseFields = Pick<RunRecord, 'phase' | 'hook' | 'exitCode' | 'receipt'>;

/** A shell takes a few milliseconds. */
const BY_CHILD_WITHIN_MS = 100;
/** Hooks whose stop counts as part of the drain. */
const drainHooks: ReadonlySet<string> = new Set(['intake', 'drain']);

/** Writes the records of one run, and reads the records of the previous runs. */
export class RunRecorder {
  readonly #options: RunRecorderOptions & Required<Pick<RunRecorderOptions, 'now' | 'pid' | 'place'>>;
  /** The keys of the bots whose files are written. */
  readonly #keys = new Set<string>();
  /** The keys of the bots whose files have a record of this run. */
  readonly #written = new Set<string>();
  /** What was reported of files that could not be read or written: whether they are stale, and their paths. */
  readonly #reported = new Set<string>();
  /** The ids of bots whose previous run, in another place, may still be alive; by key. */
  readonly #undecided = new Map<string, number>();
  /** The keys of the bots of which Telegram has ever answered a poll. */
  readonly #polled = new Set<string>();
  /** How long the stops of the previous runs took that ended by themselves, in milliseconds; by key. */
  readonly #previousStops = new Map<string, number>();
  /** The processes whose receipts are told. One that ran several bots has left one for each. */
  readonly #told = new Set<number>();
  #current: PhaseFields = { phase: 'starting' };
  #sinceMs: number;
  #stopAskedMs: number | undefined;

  constructor(options: RunRecorderOptions) {
    this.#options = {
      now: Date.now,
      pid: process.pid,
      bootId: readBootId(),
      place: currentPlace(),
      ...options,
    };
    this.#sinceMs = this.#options.now();
  }

  /**
   * Reports a kill of the bot's previous run, or the receipt that its log could not take, and writes the bot's file from now
   * on. Call it with the lock held. Where the previous run was in another place, to which the lock may not reach, all of it
   * waits for `inboxOpened` or `polled`.
   */
  begin(key: string, botId: number): void {
    const previous = this.#read(key);
    if (previous?.hasPolled) this.#polled.add(key);
    const { phase = 'stopped', place = this.#options.place } = previous ?? {};
    if (phase !== 'stopped' && place !== this.#options.place) this.#undecided.set(key, botId);
    else this.#begin(key, botId, previous);
  }

  /** Records that this run has the bot's inbox, so that no other run is alive. */
  inboxOpened(key: string): void {
    const botId = this.#undecided.get(key);
    if (botId === undefined) return;
    this.#undecided.delete(key);
    this.#begin(key, botId, this.#read(key));
  }

  #begin(key: string, botId: number, previous: RunRecord | undefined): void {
    const { stopTimeoutMs, bootId, now, emit, began } = this.#options;
    const killed = previous && describeKill(previous, { nowMs: now(), bootId, stopTimeoutMs });
    if (killed) emit({ event: 'previous-run.killed', bot: botId, ...killed });
    if (previous?.receipt && !this.#told.has(previous.pid)) {
      const { pid, exitCode, receipt } = previous;
      this.#told.add(pid);
      emit({ event: 'previous-run.receipt', bot: botId, pid, exitCode, ...receipt });
    }
    if (previous?.phase === 'stopped' && previous.stopAskedMs !== undefined)
      this.#previousStops.set(key, Math.max(0, previous.sinceMs - previous.stopAskedMs));
    if (this.#keys.size === 0 && this.#current.phase === 'starting') this.#sinceMs = now();
    this.#keys.add(key);
    this.#write(key);
    began?.(key, botId, previous, killed);
  }

  /** Records that the bot has stopped, though the run goes on. The bot's file is written no longer. */
  finish(key: string): void {
    this.#undecided.delete(key);
    if (!this.#keys.has(key)) return;
    this.#write(key, { phase: 'stopped', exitCode: 0 });
    this.#keys.delete(key);
  }

  /** How long the stop of the bot's previous run took, in milliseconds; undefined if it did not end by a stop. */
  previousStopMs(key: string): number | undefined {
    return this.#previousStops.get(key);
  }

  /** Whether Telegram has answered a poll of the bot, in this run or an earlier one. Ask it with the lock held. */
  hasPolled(key: string): boolean {
    return this.#polled.has(key);
  }

  /** Records that Telegram has answered a poll of the bot. */
  polled(key: string): void {
    this.inboxOpened(key);
    if (this.#polled.has(key)) return;
    this.#polled.add(key);
    if (this.#keys.has(key)) this.#write(key);
  }

  /** Returns the pid of the other process that runs the bot by the bot's file. It may be wrong: only display it. */
  holderOf(key: string): number | undefined {
    const { bootId, pid } = this.#options;
    const record = this.#read(key);
    if (!record || record.phase === 'stopped' || record.bootId !== bootId) return undefined;
    return record.pid !== pid && isAlive(record.pid) ? record.pid : undefined;
  }

  /** Updates the files if the event changes the phase. */
  note(event: LifecycleEvent): void {
    if (event.event === 'lifecycle.stopping') this.#stopAskedMs = this.#options.now();
    const fields = phaseAfter(event);
    if (fields) this.#enter(fields);
  }

  /**
   * Records that the process ends by itself. Later calls and events change nothing.
   *
   * @param receipt what the next run is to tell of this one, if the log cannot
   */
  end(exitCode: number, receipt?: Receipt): void {
    this.#enter({ phase: 'stopped', exitCode, receipt });
  }

  /**
   * The same where a disk hangs, on which the files may be: nothing here waits for it. Never rejects, and resolves within
   * 100 ms; what has not been written by then stays as it was.
   */
  async endByChild(exitCode: number): Promise<void> {
    if (this.#current.phase === 'stopped') return;
    this.#current = { phase: 'stopped', exitCode };
    this.#sinceMs = this.#options.now();
    await Promise.all(
      [...this.#keys].map(async (key) => {
        const path = this.#pathOf(key);
        if (path !== undefined) await replaceFileByChild(path, this.#lineOf(key), BY_CHILD_WITHIN_MS);
      }),
    );
  }

  #enter(fields: PhaseFields): void {
    if (this.#current.phase === 'stopped') return;
    this.#current = fields;
    this.#sinceMs = this.#options.now();
    for (const key of this.#keys) this.#write(key);
  }

  #read(key: string): RunRecord | undefined {
    const path = this.#pathOf(key);
    if (path === undefined) return undefined;
    try {
      const record = parseRunRecord(readFileSync(path, 'utf8'));
      if (!record) this.#failed(path, new Error('the file does not hold the record of a run'));
      return record;
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) this.#failed(path, error);
      return undefined;
    }
  }

  #write(key: string, fields = this.#current): void {
    const path = this.#pathOf(key);
    if (path === undefined) return;
    const text = `${this.#lineOf(key, fields)}\n`;
    try {
      makeFolder(dirname(path));
      replaceFile(path, text);
    } catch (error) {
      // The file has a record of this run, or of an earlier one that has been read, which would be told of again.
      if (!overwrite(path, text)) {
        this.#failed(path, error, this.#written.has(key));
        return;
      }
    }
    this.#written.add(key);
  }

  #lineOf(key: string, fields = this.#current): string {
    const { pid, place, bootId, supervisor, killAfterMs } = this.#options;
    const times = { sinceMs: this.#sinceMs, stopAskedMs: this.#stopAskedMs };
    const hasPolled = this.#polled.has(key) || undefined;
    const record: RunRecord = { ...fields, ...times, pid, place, bootId, supervisor, hasPolled, killAfterMs };
    return JSON.stringify(record);
  }

  #pathOf(key: string): string | undefined {
    const { stateDir } = this.#options;
    return stateDir === undefined ? undefined : join(stateDir, key, LAST_RUN_FILE);
  }

  /** @param isStale whether the file has an earlier record of this run */
  #failed(path: string, error: unknown, isStale = false): void {
    // A write that fails is likely to fail again at the next phase.
    const report = `${isStale} ${path}`;
    if (this.#reported.has(report)) return;
    this.#reported.add(report);
    this.#options.emit({ event: 'run-record.failed', path, error, isStale });
  }
}

/** Writes in place where there is no room for another file. Returns whether that could be. */
function overwrite(path: string, text: string): boolean {
  try {
    overwriteFile(path, text);
    return true;
  } catch {
    return false;
  }
}

/** Returns the phase that an event moves the run into, or undefined if the phase stays the same. */
function phaseAfter(event: LifecycleEvent): PhaseFields | undefined {
  switch (event.event) {
    case 'hook.starting':
      return { phase: 'starting', hook: event.hook };
    case 'lifecycle.running':
      return { phase: 'running' };
    case 'lifecycle.stopping':
      return { phase: 'draining' };
    case 'hook.stopping':
      return drainHooks.has(event.hook) ? undefined : { phase: 'stopping', hook: event.hook };
    default:
      return undefined;
  }
}
