/**
 * Keeps one small file per bot with the state of the run, so that the next run can tell how this one ended. The file is
 * written synchronously at each change of phase, because the process may be killed right after.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LifecycleEvent } from '../lifecycle/events.js';
import { replaceFile } from '../replace-file.js';
import { codeOf } from '../system-error.js';
import type { PreviousRunEvent } from './events.js';
import { describeKill } from './previous-run.js';
import { parseRunState, type RunState, type SupervisorKind } from './run-state.js';

export interface RunRecordOptions {
  /** The directory with one folder per bot, or undefined if there is none. */
  readonly stateDir: string | undefined;
  /** How long a stop may take according to the settings. */
  readonly stopTimeoutMs: number;
  readonly supervisor: SupervisorKind;
  /** How long after a stop request the supervisor kills, if known. */
  readonly killAfterMs: number | undefined;
  readonly emit: (event: PreviousRunEvent) => void;
  /** The current time, in milliseconds since 1970. */
  readonly now?: () => number;
  readonly pid?: number;
  readonly bootId?: string | undefined;
}

type Position = Pick<RunState, 'phase' | 'hook' | 'exitCode'>;

const FILE = 'last-run.json';
/** Hooks whose stop counts as part of the drain. */
const drainHooks: ReadonlySet<string> = new Set(['intake', 'drain']);

/** Writes the state files of one run, and reads those of the previous runs. */
export class RunRecord {
  readonly #options: RunRecordOptions & Required<Pick<RunRecordOptions, 'now' | 'pid'>>;
  /** The keys of the bots whose files are kept. */
  readonly #keys = new Set<string>();
  #position: Position = { phase: 'starting' };
  #sinceMs: number;
  #stopAskedMs: number | undefined;

  constructor(options: RunRecordOptions) {
    this.#options = { now: Date.now, pid: process.pid, bootId: readBootId(), ...options };
    this.#sinceMs = this.#options.now();
  }

  /** Reports a kill of the bot's previous run, and keeps the bot's file from now on. Call it with the lock held. */
  begin(key: string, botId: number): void {
    const { stopTimeoutMs, bootId, now, emit } = this.#options;
    const previous = this.#read(key);
    const killed = previous && describeKill(previous, { nowMs: now(), bootId, stopTimeoutMs });
    if (killed) emit({ event: 'previous-run.killed', bot: botId, ...killed });
    if (this.#keys.size === 0 && this.#position.phase === 'starting') this.#sinceMs = now();
    this.#keys.add(key);
    this.#write(key);
  }

  /** The pid of the other process that runs the bot according to the bot's file. Only for display: it may be wrong. */
  holderOf(key: string): number | undefined {
    const { bootId, pid } = this.#options;
    const state = this.#read(key);
    if (!state || state.phase === 'stopped' || state.bootId !== bootId) return undefined;
    return state.pid !== pid && isAlive(state.pid) ? state.pid : undefined;
  }

  /** Updates the files if the event changes the phase. */
  note(event: LifecycleEvent): void {
    if (event.event === 'lifecycle.stopping') this.#stopAskedMs = this.#options.now();
    const position = positionAfter(event);
    if (position) this.#moveTo(position);
  }

  /** Records that the process ends by itself. Later calls and events change nothing. */
  end(exitCode: number): void {
    this.#moveTo({ phase: 'stopped', exitCode });
  }

  #moveTo(position: Position): void {
    if (this.#position.phase === 'stopped') return;
    this.#position = position;
    this.#sinceMs = this.#options.now();
    for (const key of this.#keys) this.#write(key);
  }

  #read(key: string): RunState | undefined {
    const path = this.#pathOf(key);
    if (path === undefined) return undefined;
    try {
      const state = parseRunState(readFileSync(path, 'utf8'));
      if (!state) this.#failed(path, new Error('the file does not hold the state of a run'));
      return state;
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) this.#failed(path, error);
      return undefined;
    }
  }

  #write(key: string): void {
    const path = this.#pathOf(key);
    if (path === undefined) return;
    const { pid, bootId, supervisor, killAfterMs } = this.#options;
    const times = { sinceMs: this.#sinceMs, stopAskedMs: this.#stopAskedMs };
    const state: RunState = { ...this.#position, ...times, pid, bootId, supervisor, killAfterMs };
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      replaceFile(path, `${JSON.stringify(state)}\n`);
    } catch (error) {
      // A write that fails would fail again at the next phase, so it is reported once and not repeated.
      this.#keys.delete(key);
      this.#failed(path, error);
    }
  }

  #pathOf(key: string): string | undefined {
    const { stateDir } = this.#options;
    return stateDir === undefined ? undefined : join(stateDir, key, FILE);
  }

  #failed(path: string, error: unknown): void {
    this.#options.emit({ event: 'run-record.failed', path, error });
  }
}

/** The position that an event moves the run to, or undefined if it leaves the position unchanged. */
function positionAfter(event: LifecycleEvent): Position | undefined {
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

/** The boot id from Linux, or from the environment in a unit that hides the file (ProcSubset=pid). */
function readBootId(): string | undefined {
  try {
    // systemd's `%b` has no hyphens.
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '');
  } catch {
    return process.env['LASTCALL_BOOT_ID'];
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
