/**
 * The real pm2 with a home of its own, and lastcall as one of its apps, started as the README says. Whatever it has
 * started ends with the test. It talks through sockets in its home, and to nobody else.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { fixture, type LogLine } from './daemon.js';
import { Folder, repository } from './folder.js';

const require = createRequire(import.meta.url);
const pm2File = require.resolve('pm2/bin/pm2');
const PATIENCE_MS = 20_000;
/** As the shipped file names it. */
const NAME = 'lastcall';

/** What pm2 says of an app, as far as tests look at it. */
export interface Listed {
  readonly pid: number;
  readonly pm2_env: {
    readonly status: string;
    readonly restart_time: number;
    readonly exit_code?: number;
    readonly axm_monitor?: { readonly lastcall?: { readonly value: string } };
  };
}

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly tookMs: number;
}

/** Ends with its test: `await using`. */
export class Pm2 implements AsyncDisposable {
  readonly #folder = new Folder();
  readonly home = this.#folder.file('pm2');

  /** Runs a command of pm2's, which starts pm2's own process where there is none. */
  run(...args: string[]): Promise<Ran> {
    return this.runWith({}, ...args);
  }

  /** The same with more in its environment, and so in that of the apps it starts. */
  runWith(more: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.#folder.path,
      // The tests themselves may run in a container.
      container: 'none',
      PM2_HOME: this.home,
      // No question about a newer pm2, at the first start or later, and no agent.
      PM2_DISCRETE_MODE: 'true',
      PM2_DISABLE_VERSION_CHECK: 'true',
      PM2_NO_INTERACTION: 'true',
      ...more,
    };
    const from = performance.now();
    return new Promise((resolve, reject) => {
      const options = { env, cwd: this.#folder.path, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 };
      execFile(process.execPath, [pm2File, ...args], options, (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') return reject(error);
        const code = Number(error?.code ?? 0);
        resolve({ code, output: stdout + stderr, tookMs: performance.now() - from });
      });
    });
  }

  /** The same; rejects unless it succeeds. */
  async succeed(...args: string[]): Promise<Ran> {
    return this.succeedWith({}, ...args);
  }

  async succeedWith(more: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
    const ran = await this.runWith(more, ...args);
    if (ran.code !== 0) throw new Error(`pm2 ${args.join(' ')}: exit code ${ran.code}\n${ran.output}`);
    return ran;
  }

  /** All instances of the bot. */
  async list(): Promise<Listed[]> {
    const { output } = await this.succeed('jlist');
    const apps: Listed[] = JSON.parse(output.slice(output.search(/^\[(\{|\])/m)));
    return apps;
  }

  /** The process in which pm2 itself runs. */
  get daemonPid(): number {
    return Number(readFileSync(join(this.home, 'pm2.pid'), 'utf8'));
  }

  /** What pm2 says of its own doings. */
  get ownLog(): string {
    return readFileSync(join(this.home, 'pm2.log'), 'utf8');
  }

  /** All that belongs to this pm2 and still runs: itself and its apps. */
  get pids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(`PM2_HOME=${this.home}`))
      .map(Number);
  }

  /** Resolves once nothing of it runs any more. */
  async gone(): Promise<void> {
    await until(
      () => this.pids.length === 0,
      () => `the end of ${this.pids}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.pids) killIfAlive(pid);
    await this.gone();
    this.#folder[Symbol.dispose]();
  }
}

export interface AppOptions {
  /** A module of the fixtures. */
  readonly module?: string;
  /** A program of the fixtures, instead. */
  readonly program?: string;
  /** Starts the checkout's own file, with the settings in the environment. */
  readonly checkout?: true;
  /** What stands in `.env`. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the app has beside what is shipped, or instead; null: not at all. */
  readonly app?: Readonly<Record<string, unknown>>;
  readonly token?: string;
}

/** A folder of a bot, with lastcall among its packages and a copy of what is shipped for pm2. */
export class Pm2Bot implements AsyncDisposable {
  readonly pm2: Pm2;
  // As `npm init` has it, where `.js` could not be what is shipped.
  readonly #folder = new Folder({ 'package.json': '{"type":"commonjs"}' });
  readonly #file: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(
    pm2: Pm2,
    sandbox: Sandbox,
    { module = 'echo', program, checkout, env = {}, app, token = sandbox.token }: AppOptions = {},
  ) {
    this.pm2 = pm2;
    mkdirSync(this.#folder.file('node_modules'));
    symlinkSync(repository, this.#folder.file('node_modules', 'lastcall'));
    const shipped = join(repository, 'ecosystem.config.js');
    const copy = this.#folder.file('ecosystem.config.mjs');
    this.#file = checkout ? shipped : copy;
    if (app) {
      copyFileSync(shipped, this.#folder.file('shipped.mjs'));
      this.#folder.write(
        'ecosystem.config.mjs',
        `import { apps as shipped } from './shipped.mjs';
const app = { ...shipped[0], ...${JSON.stringify(app)} };
export const apps = [Object.fromEntries(Object.entries(app).filter(([, value]) => value !== null))];
`,
      );
    } else copyFileSync(shipped, copy);
    const settings = {
      BOT_TOKEN: token,
      TELEGRAM_API_ROOT: sandbox.apiRoot,
      BOT_MODULE: program ? fixture('bots', program) : fixture('modules', `${module}.mjs`),
      STATE_DIR: this.#folder.file('state'),
      ...env,
    };
    this.#env = checkout ? settings : {};
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    this.#folder.write('.env', lines.join(''));
    rmSync(join(pm2.home, 'logs'), { recursive: true, force: true });
  }

  /** The folder in which it runs. */
  get folder(): string {
    return this.#folder.path;
  }

  start(): Promise<Ran> {
    return this.pm2.succeedWith(this.#env, 'start', this.#file);
  }

  stop(): Promise<Ran> {
    return this.pm2.succeed('stop', NAME);
  }

  restart(): Promise<Ran> {
    return this.pm2.succeed('restart', NAME);
  }

  reload(): Promise<Ran> {
    return this.pm2.succeed('reload', NAME);
  }

  delete(): Promise<Ran> {
    return this.pm2.succeed('delete', NAME);
  }

  /** The app's log, of all runs and instances. */
  get log(): string {
    const file = join(this.pm2.home, 'logs', `${NAME}-out.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** What the app has written beside its log. */
  get errorLog(): string {
    return readFileSync(join(this.pm2.home, 'logs', `${NAME}-error.log`), 'utf8');
  }

  /** Its lines; throws where one is no JSON. */
  get lines(): LogLine[] {
    const lines = this.log.split('\n').slice(0, -1);
    return lines.map((line): LogLine => JSON.parse(line));
  }

  told(event: string): LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** Waits until its log is as is looked for. */
  logs(wanted: () => boolean, what = `${wanted}`): Promise<void> {
    return until(wanted, () => `${what}; it logged:\n${this.log}`);
  }

  /** Waits until it has told an event so many times. */
  async tells(event: string, times = 1): Promise<LogLine[]> {
    await this.logs(() => this.told(event).length >= times, `${event}, ${times} times`);
    return this.told(event);
  }

  /** The receipt: the last line. */
  get receipt(): LogLine {
    const last = this.lines.at(-1);
    if (last?.event !== 'lifecycle.stopped') throw new Error(`the last line is no receipt:\n${this.log}`);
    return last;
  }

  /** What the last run has left on disk about itself. */
  get lastRun(): unknown {
    const [key = ''] = readdirSync(this.#folder.file('state'));
    return JSON.parse(readFileSync(this.#folder.file('state', key, 'last-run.json'), 'utf8'));
  }

  /** Waits until pm2 shows what is looked for. */
  async shows(wanted: (apps: readonly Listed[]) => boolean): Promise<readonly Listed[]> {
    let apps: readonly Listed[] = [];
    await until(
      async () => {
        apps = await this.pm2.list();
        return wanted(apps);
      },
      () => `what pm2 shows: ${JSON.stringify(apps.map(({ pid, pm2_env }) => [pid, pm2_env.status]))}`,
    );
    return apps;
  }

  /** Ends it, and makes pm2 forget it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.pm2.pids;
    if (running.length > 0) {
      const deleted = this.pm2.run('delete', NAME);
      // What is still there by then would not end by itself; not before, as pm2 would start it again.
      const late = setTimeout(() => {
        for (const pid of running) if (pid !== this.pm2.daemonPid) killIfAlive(pid);
      }, 2_000);
      await deleted;
      clearTimeout(late);
    }
    this.#folder[Symbol.dispose]();
  }
}

async function until(reached: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const from = performance.now();
  while (!(await reached())) {
    if (performance.now() - from > PATIENCE_MS) throw new Error(`waited in vain for ${what()}`);
    await sleep(20);
  }
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(join('/proc', pid, 'environ'), 'utf8').split('\0');
  } catch {
    return []; // It has ended, or is somebody else's.
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
