/** One host of the demo: a daemon with a state folder of its own, of whose log the events are read. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isObject, parseJson } from '../../json.js';
import type { Sandbox } from '../../sandbox/sandbox.js';
import { daemonEnvironment, type Program } from './daemon.js';

/** A line of the daemon's log. */
export interface LogLine {
  readonly event: string;
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface HostProcessOptions {
  readonly program: Program;
  readonly sandbox: Pick<Sandbox, 'token' | 'apiRoot'>;
  readonly stateDir: string;
  /** The file with the URL of the database. */
  readonly inboxFile: string;
  logged(line: LogLine): void;
  /** Called with what the daemon prints beside its log. */
  printed(text: string): void;
}

export class HostProcess {
  readonly #child: ChildProcess;
  /** Resolves to the exit code; undefined if a signal has ended it. Never rejects. */
  readonly exited: Promise<number | undefined>;

  constructor({ program, sandbox, stateDir, inboxFile, logged, printed }: HostProcessOptions) {
    const { mainFile, botFile, process } = program;
    const child = spawn(process.execPath, [mainFile, 'run', botFile, '--log-format', 'json'], {
      env: {
        ...daemonEnvironment(sandbox, stateDir, process.env),
        LASTCALL_INBOX_FILE: inboxFile,
        LASTCALL_LOG_LEVEL: 'info',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = parseLine(text);
      if (line) logged(line);
      else printed(text);
    });
    createInterface({ input: child.stderr }).on('line', printed);
    this.exited = new Promise((resolve) => {
      child.once('error', () => resolve(undefined));
      child.once('close', (code) => resolve(code ?? undefined));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

function parseLine(text: string): LogLine | undefined {
  const fields = parseJson(text);
  if (!isObject(fields)) return undefined;
  const { event = '', level = '', msg = '' } = fields;
  return { event: `${event}`, level: `${level}`, message: `${msg}`, fields };
}
