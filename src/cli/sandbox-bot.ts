/** The bot that `lastcall sandbox -- bot.js` runs beside the sandbox: `lastcall run` as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BotProcess, BotProcessState } from '../sandbox/bot-process.js';
import type { Sandbox } from '../sandbox/sandbox.js';

const mainFile = fileURLToPath(new URL('../main.js', import.meta.url));

export interface SandboxBotOptions {
  readonly sandbox: Pick<Sandbox, 'token' | 'apiRoot'>;
  /** The file of the bot, and the arguments for it. */
  readonly command: readonly string[];
  /** The folder of the inbox, which outlives each process. */
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Whether stdout is a terminal. */
  readonly isTTY: boolean;
}

export class SandboxBotProcess implements BotProcess {
  readonly #options: SandboxBotOptions;
  readonly #listeners = new Set<() => void>();
  #state: BotProcessState;
  #child: ChildProcess;
  /** Whether the process is to be started again when it has ended. */
  #startsAgain = false;
  #closing = false;

  /** Starts the first process. */
  constructor(options: SandboxBotOptions) {
    this.#options = options;
    this.#state = {
      command: `lastcall run ${options.command.join(' ')}`,
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

  signal(name: NodeJS.Signals): void {
    if (this.#state.status === 'ended') return;
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

  #start(): ChildProcess {
    const { sandbox, command, stateDir, env, isTTY } = this.#options;
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
        CREDENTIALS_DIRECTORY: '',
        ...(!isTTY && { NO_COLOR: '1' }),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    // A process that cannot be started ends at once.
    child.once('error', () => this.#ended(null, null));
    child.once('exit', (code, signal) => this.#ended(code, signal));
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
    this.#set({ ...this.#state, status: 'ended', end: { atMs: performance.now(), code, signal } });
    const startsAgain = this.#startsAgain && !this.#closing;
    this.#startsAgain = false;
    if (startsAgain) this.#child = this.#start();
  }

  #set(state: BotProcessState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
