/** The bot that `lastcall sandbox -- bot.js` runs beside the sandbox: `lastcall run` as a child process. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { wantsColour } from '../logging/colour.js';
import { BotLog } from '../sandbox/bot-log.js';
import type { BotProcess, BotProcessState, LogLine } from '../sandbox/bot-process.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { maskTokens } from '../token.js';
import { BotOutput } from './bot-output.js';

const mainFile = fileURLToPath(new URL('../main.js', import.meta.url));

export interface SandboxBotOptions {
  readonly sandbox: Pick<Sandbox, 'token' | 'apiRoot'>;
  /** The file of the bot, and the arguments for it. */
  readonly command: readonly string[];
  /** The folder of the inbox, which outlives each process. */
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where the output of the bot goes on. */
  readonly stdout: Output & { readonly isTTY?: boolean };
  readonly stderr: Output;
}

type Output = Pick<NodeJS.WritableStream, 'write'>;
type Child = ChildProcessByStdio<null, Readable, Readable>;

/** How long the output of a process that has ended is read: another one may have been given its pipes, and go on. */
const LAST_OUTPUT_MS = 500;

export class SandboxBotProcess implements BotProcess {
  readonly #options: SandboxBotOptions;
  readonly #listeners = new Set<() => void>();
  readonly #log = new BotLog();
  readonly #output: BotOutput;
  #state: BotProcessState;
  #child: Child;
  /** Whether the process is to be started again when it has ended. */
  #startsAgain = false;
  #closing = false;

  /** Starts the first process. */
  constructor(options: SandboxBotOptions) {
    this.#options = options;
    const { env, stdout } = options;
    const isTerminal = stdout.isTTY === true;
    const format = env['LASTCALL_LOG_FORMAT'] ?? env['LOG_FORMAT'];
    this.#output = new BotOutput({
      log: this.#log,
      isPretty: format === 'pretty' || (format !== 'json' && isTerminal),
      hasColour: wantsColour(env, isTerminal),
    });
    this.#state = {
      command: maskTokens(`lastcall run ${options.command.join(' ')}`),
      status: 'running',
      pid: undefined,
      startedAtMs: 0,
      starts: 0,
    };
    this.#child = this.#start();
  }

  get state(): BotProcessState {
    return this.#state;
  }

  get log(): readonly LogLine[] {
    return this.#log.lines;
  }

  onLine(listener: (line: LogLine) => void): void {
    this.#log.onLine(listener);
  }

  signal(name: NodeJS.Signals): void {
    if (this.#state.status === 'ended') return;
    this.#say('info', `${name} is sent to process ${this.#child.pid ?? ''}`);
    this.#set({ ...this.#state, status: 'stopping' });
    this.#child.kill(name);
  }

  restart(): void {
    if (this.#state.status === 'ended') this.#child = this.#start();
    else {
      this.#startsAgain = true;
      this.signal('SIGTERM');
    }
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Stops the process with a signal, starts no other one, and resolves when it has ended. */
  async close(signal: NodeJS.Signals): Promise<void> {
    this.#closing = true;
    const ended = new Promise<void>((resolve) =>
      this.onChange(() => this.#state.status === 'ended' && resolve()),
    );
    if (this.#state.status === 'ended') return;
    this.signal(signal);
    await ended;
  }

  #start(): Child {
    const { sandbox, command, stateDir, env, stdout, stderr } = this.#options;
    const [file = '', ...args] = command;
    const child = spawn(process.execPath, [mainFile, 'run', file, '--', ...args], {
      env: {
        ...env,
        // Both names: the first one is for the program, which may build its bot by itself.
        BOT_TOKEN: sandbox.token,
        LASTCALL_BOT_TOKEN: sandbox.token,
        LASTCALL_BOT_TOKEN_FILE: '',
        LASTCALL_BOT_MODULE: '',
        LASTCALL_TELEGRAM_API_ROOT: sandbox.apiRoot,
        LASTCALL_INBOX: 'journal',
        LASTCALL_STATE_DIR: stateDir,
        LASTCALL_LOG_FORMAT: 'json',
        CREDENTIALS_DIRECTORY: '',
        // What the program itself writes has its colours only where somebody sees them.
        ...(wantsColour(env, stdout.isTTY === true) ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#output.take('stdout', child.stdout, stdout);
    this.#output.take('stderr', child.stderr, stderr);
    // A process that cannot be started ends at once.
    child.once('error', () => this.#ended(null, null));
    child.once('exit', () => {
      const closing = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, LAST_OUTPUT_MS);
      child.once('close', (code, signal) => {
        clearTimeout(closing);
        this.#ended(code, signal);
      });
    });
    this.#say('info', `process ${child.pid ?? ''} starts: ${this.#state.command}`);
    const { end: _end, ...state } = this.#state;
    this.#set({
      ...state,
      status: 'running',
      pid: child.pid,
      startedAtMs: performance.now(),
      starts: state.starts + 1,
    });
    return child;
  }

  #ended(code: number | null, signal: string | null): void {
    if (this.#state.status === 'ended') return;
    const how = signal ? `by ${signal}` : `with exit code ${code ?? 'unknown'}`;
    this.#say(code === 0 ? 'info' : 'error', `process ${this.#state.pid ?? ''} has ended ${how}`);
    this.#set({ ...this.#state, status: 'ended', end: { atMs: performance.now(), code, signal } });
    const startsAgain = this.#startsAgain && !this.#closing;
    this.#startsAgain = false;
    if (startsAgain) this.#child = this.#start();
  }

  #say(level: 'info' | 'error', text: string): void {
    this.#log.add({ source: 'process', level, text });
  }

  #set(state: BotProcessState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
