/**
 * Keeps, one small file a bot, where the run is, so that the next run can tell how this one ended. Written at changes of
 * phase only, at once and whole (a new file takes the old one's place), because the next moment may be the last. A
 * disk that does not take it is no reason to stop: the next run then knows less.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LifecycleEvent } from '../lifecycle/events.js';
import { codeOf } from '../system-error.js';
import type { PreviousRunEvent } from './events.js';
import { howKilled } from './previous-run.js';
import { parseRunState, type RunState, type SupervisorKind } from './run-state.js';

export interface RunRecordOptions {
  /** One folder a bot in it; undefined where there is no place for one. */
  readonly stateDir: string | undefined;
  /** What a stop may take by the settings. */
  readonly stopTimeoutMs: number;
  /** What a stop is given, once the supervisor has had its say. */
  readonly budgetMs: number;
  readonly supervisor: SupervisorKind;
  /** When the supervisor kills, counted from the moment it asks for the stop; undefined where it does not say. */
  readonly killAfterMs: number | undefined;
  readonly emit: (event: PreviousRunEvent) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly pid?: number;
  readonly bootId?: string | undefined;
}

type Where = Pick<RunState, 'phase' | 'hook' | 'exitCode'>;

const FILE = 'last-run.json';
/** Hooks whose turn is part of the drain, as people see it. */
const drainHooks: ReadonlySet<string> = new Set(['intake', 'drain']);

export class RunRecord {
  readonly #options: RunRecordOptions;
  readonly #now: () => number;
  readonly #pid: number;
  readonly #bootId: string | undefined;
  readonly #keys = new Set<string>();
  #where: Where = { phase: 'starting' };
  #sinceMs: number;
  #stopAskedMs: number | undefined;

  constructor(options: RunRecordOptions) {
    const { now = Date.now, pid = process.pid } = options;
    this.#options = options;
    this.#now = now;
    this.#pid = pid;
    this.#bootId = 'bootId' in options ? options.bootId : bootId();
    this.#sinceMs = now();
  }

  /** Tells how the bot's run before this one ended, and from now on keeps its file; once its lock is held. */
  begin(key: string, botId: number): void {
    const { stopTimeoutMs, emit } = this.#options;
    const previous = this.#read(key);
    const killed =
      previous && howKilled(previous, { nowMs: this.#now(), bootId: this.#bootId, stopTimeoutMs });
    if (killed) emit({ event: 'previous-run.killed', bot: botId, ...killed });
    if (this.#keys.size === 0 && this.#where.phase === 'starting') this.#sinceMs = this.#now();
    this.#keys.add(key);
    this.#write(key);
  }

  /** The process that runs the bot now, if its own file is to be believed; good for nothing but to be told. */
  holderOf(key: string): number | undefined {
    const state = this.#read(key);
    if (!state || state.phase === 'stopped' || state.bootId !== this.#bootId) return undefined;
    return state.pid !== this.#pid && isAlive(state.pid) ? state.pid : undefined;
  }

  /** Follows the run. */
  note(event: LifecycleEvent): void {
    if (event.event === 'lifecycle.stopping') this.#stopAskedMs = this.#now();
    const where = whereAfter(event);
    if (where) this.#enter(where);
  }

  /** The process ends, and knows it. */
  end(exitCode: number): void {
    this.#enter({ phase: 'stopped', exitCode });
  }

  #enter(where: Where): void {
    if (this.#where.phase === 'stopped') return;
    this.#where = where;
    this.#sinceMs = this.#now();
    for (const key of this.#keys) this.#write(key);
  }

  #state(): RunState {
    const { supervisor, budgetMs, killAfterMs } = this.#options;
    return {
      ...this.#where,
      sinceMs: this.#sinceMs,
      pid: this.#pid,
      supervisor,
      budgetMs,
      ...(this.#bootId !== undefined && { bootId: this.#bootId }),
      ...(killAfterMs !== undefined && { killAfterMs }),
      ...(this.#stopAskedMs !== undefined && { stopAskedMs: this.#stopAskedMs }),
    };
  }

  #read(key: string): RunState | undefined {
    const { stateDir } = this.#options;
    if (stateDir === undefined) return undefined;
    const path = join(stateDir, key, FILE);
    try {
      const state = parseRunState(readFileSync(path, 'utf8'));
      if (!state) this.#failed(path, new Error('it does not hold what a run leaves'));
      return state;
    } catch (error) {
      if (!isMissing(error)) this.#failed(path, error);
      return undefined;
    }
  }

  #write(key: string): void {
    const { stateDir } = this.#options;
    if (stateDir === undefined) return;
    const folder = join(stateDir, key);
    const path = join(folder, FILE);
    const unfinished = `${path}.new`;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(unfinished, `${JSON.stringify(this.#state())}\n`, { mode: 0o600 });
      renameSync(unfinished, path);
    } catch (error) {
      // Told once: what fails at one change of phase fails at the next.
      this.#keys.delete(key);
      this.#failed(path, error);
    }
  }

  #failed(path: string, error: unknown): void {
    this.#options.emit({ event: 'run-record.failed', path, error });
  }
}

/** Where the run is from that event on; undefined where that does not change. */
function whereAfter(event: LifecycleEvent): Where | undefined {
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

/** Linux gives each boot of the machine an id of its own; a unit that hides that (ProcSubset=pid) hands it in. */
function bootId(): string | undefined {
  try {
    // As systemd writes it.
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

const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(String(codeOf(error)));
