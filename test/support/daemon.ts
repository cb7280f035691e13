/** Starts the built program as a real child process, and reads its log as it comes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The built entry point; `npm test` builds before it tests. */
export const mainFile = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
export const fixture = (...path: string[]): string => join(import.meta.dirname, '..', 'fixtures', ...path);

/** How long a test waits for something that should come in moments; only a failing test waits this long. */
const PATIENCE_MS = 20_000;

/** One line of the daemon's JSON log. */
export interface LogLine {
  readonly level: string;
  readonly event?: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** `performance.now()` of this process when the child's end was seen. */
  readonly at: number;
}

export interface DaemonOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Runs this program instead of lastcall: the peers of the benchmarks. */
  readonly file?: string;
  readonly nodeArgs?: readonly string[];
  /** A command that becomes the program, in another network for example. */
  readonly entering?: readonly string[];
  /** With an IPC channel, as under pm2. */
  readonly ipc?: boolean;
  /** In a process group of its own, to which `kill(-pid)` sends what a terminal would. */
  readonly detached?: boolean;
}

/** Matches a log line by its event name, or by what a function says. */
export type Matcher = string | ((line: LogLine) => boolean);

export class Daemon {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  readonly lines: LogLine[] = [];
  /** Everything the process printed, on either stream. */
  output = '';
  readonly #secrets: readonly string[];
  readonly #detached: boolean;
  #end: Exit | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(options: DaemonOptions) {
    const home = mkdtempSync(join(tmpdir(), 'lastcall-home-'));
    // A clean environment: nothing of the supervisor, or of the developer's .env, that the tests run under.
    // The tests themselves may run in a container; those about containers say so.
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, container: 'none', ...options.env };
    this.#secrets = Object.entries(env).flatMap(([name, value]) => {
      if (name === 'INBOX' && URL.canParse(value)) return [new URL(value).password].filter(Boolean);
      return name.endsWith('TOKEN') && value.trim() !== '' ? [value] : [];
    });
    this.#detached = options.detached ?? false;
    const [command = '', ...first] = [...(options.entering ?? []), process.execPath];
    this.child = spawn(
      command,
      [...first, ...(options.nodeArgs ?? []), options.file ?? mainFile, ...(options.args ?? ['run'])],
      {
        cwd: options.cwd ?? home,
        env,
        detached: this.#detached,
        stdio: options.ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#read(this.child.stdout);
    this.#read(this.child.stderr);
    this.exited = this.#watchEnd().finally(() => {
      rmSync(home, { recursive: true, force: true });
      this.#notify();
    });
  }

  /** Resolves with the first line that matches, past or future; rejects when the process ends without it. */
  waitFor(matcher: Matcher, patienceMs = PATIENCE_MS): Promise<LogLine> {
    const matches = typeof matcher === 'string' ? (line: LogLine) => line.event === matcher : matcher;
    return this.#wait(() => this.lines.find(matches), `${matcher}`, patienceMs);
  }

  /** The same for what is printed that is no JSON line. */
  prints(pattern: RegExp, patienceMs = PATIENCE_MS): Promise<RegExpExecArray> {
    return this.#wait(() => pattern.exec(this.output) ?? undefined, `${pattern}`, patienceMs);
  }

  #wait<T>(find: () => T | undefined, what: string, patienceMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        finish();
        reject(new Error(`${why} while waiting for ${what}; it printed:\n${this.output}`));
      };
      const timer = setTimeout(() => fail(`${patienceMs} ms passed`), patienceMs);
      const finish = () => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const look = () => {
        const found = find();
        if (found !== undefined) {
          finish();
          resolve(found);
        } else if (this.#end) fail('the process ended');
      };
      this.#watchers.add(look);
      look();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends the signal (unless it is null) and waits for the end; says how long that took. */
  async stop(
    signal: NodeJS.Signals | null = 'SIGTERM',
    patienceMs = PATIENCE_MS,
  ): Promise<Exit & { tookMs: number }> {
    const from = performance.now();
    if (signal) this.kill(signal);
    const exit = await this.end(patienceMs);
    return { ...exit, tookMs: exit.at - from };
  }

  /** Waits for the end of the process; kills it and fails when that takes too long. */
  async end(patienceMs = PATIENCE_MS): Promise<Exit> {
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.kill('SIGKILL');
        reject(new Error(`still running after ${patienceMs} ms; it printed:\n${this.output}`));
      }, patienceMs);
    });
    try {
      return await Promise.race([this.exited, overdue]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The receipt: the last line of the log. */
  get receipt(): LogLine {
    const last = this.lines.at(-1);
    if (last?.event !== 'lifecycle.stopped')
      throw new Error(`the last line is no receipt; it printed:\n${this.output}`);
    return last;
  }

  events(): string[] {
    return this.lines.flatMap((line) => line.event ?? []);
  }

  /** Ends the process if it still runs, and fails if anything it printed holds its token, or one of several. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#detached) this.#killGroup();
    else if (!this.#end) this.kill('SIGKILL');
    await this.exited;
    for (const secret of this.#secrets) {
      if (this.output.includes(secret) || this.output.includes(encodeURIComponent(secret)))
        throw new Error(`the output holds the token:\n${this.output}`);
    }
  }

  /** What has outlived the process that started it, too. */
  #killGroup(): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, 'SIGKILL');
    } catch (error) {
      if (!`${error}`.includes('ESRCH')) throw error;
    }
  }

  /** Not by the event `close`: Node leaves it out where the parent has closed the IPC channel. */
  async #watchEnd(): Promise<Exit> {
    const streams = [this.child.stdout, this.child.stderr].map((stream) => stream && once(stream, 'close'));
    const [code, signal] = await once(this.child, 'exit');
    await Promise.all(streams);
    this.#end = { code, signal, at: performance.now() };
    return this.#end;
  }

  #read(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      this.output += chunk;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const parsed = parse(line);
        if (parsed) this.lines.push(parsed);
      }
      this.#notify();
    });
  }

  #notify(): void {
    for (const look of [...this.#watchers]) look();
  }
}

function parse(line: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'level' in value ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

/** Use with `await using`, so that no process outlives its test. */
export function spawnDaemon(options: DaemonOptions = {}): Daemon {
  return new Daemon(options);
}

/** The middle one of an odd number of figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('no figures');
  return middle;
}
