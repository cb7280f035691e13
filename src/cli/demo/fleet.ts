/** The hosts of the demo, and what is told of them as it happens. */
import { join } from 'node:path';
import { ExitCode } from '../../exit-code.js';
import { isObject } from '../../json.js';
import { seconds } from './closing-table.js';
import { HostProcess, type HostProcessOptions, type LogLine } from './host-process.js';

export interface FleetOptions extends Pick<HostProcessOptions, 'program' | 'sandbox' | 'inboxFile'> {
  /** The folder that gets a folder for each host. */
  readonly folder: string;
  tell(text: string): void;
}

/** What a host has said. */
interface Said extends LogLine {
  readonly host: Host;
}

export interface Host {
  /** For people. */
  readonly name: string;
  process: HostProcess;
  /** How many updates its processes have handled that have ended in order. */
  handled: number;
}

export class Fleet {
  readonly hosts: readonly Host[];
  readonly #options: FleetOptions;
  readonly #listeners = new Set<(said: Said) => void>();
  /** The names of hosts, by the ids of their processes, also of those that have ended. */
  readonly #names = new Map<number | undefined, string>();
  readonly #stopped = new AbortController();
  readonly #broken = new AbortController();
  #brokenBy: number | undefined;
  #isStopping = false;
  #polling: Host | undefined;

  constructor(size: number, options: FleetOptions) {
    this.#options = options;
    this.hosts = Array.from({ length: size }, (_, index) => this.#newHost(`host ${index + 1}`));
  }

  /** Aborts when all hosts have been stopped. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Aborts when a host has ended by an error, as where its settings are wrong. */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  /** The exit code of that host. */
  get brokenBy(): number | undefined {
    return this.#brokenBy;
  }

  /** Resolves when all hosts handle updates, and one polls. Rejects with the signal's reason. */
  async ready(signal: AbortSignal): Promise<void> {
    await Promise.all([
      ...this.hosts.map((host) => this.next('inbox.opened', signal, (by) => by === host)),
      this.next('poll.started', signal),
    ]);
  }

  /** The host that polls, if one does. */
  get polling(): Host | undefined {
    return this.#polling;
  }

  /** Starts a host once more whose process has ended. */
  startAgain(host: Host): void {
    host.process = this.#spawn(host);
  }

  /** Resolves when a host says so from now on. Rejects with the signal's reason. */
  next(event: string, signal: AbortSignal, by: (host: Host) => boolean = () => true): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const listener = (said: Said) => {
        if (said.event !== event || !by(said.host)) return;
        end();
        resolve(said);
      };
      const abort = () => {
        end();
        reject(signal.reason);
      };
      const end = () => {
        this.#listeners.delete(listener);
        signal.removeEventListener('abort', abort);
      };
      this.#listeners.add(listener);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** Sends a signal to all. */
  kill(signal: NodeJS.Signals): void {
    for (const { process } of this.hosts) process.kill(signal);
  }

  /** Stops all that run, in order; kills those that have not ended within the time. Resolves to their exit codes. */
  async stop(withinMs: number): Promise<readonly (number | undefined)[]> {
    this.#isStopping = true;
    const overdue = setTimeout(() => this.kill('SIGKILL'), withinMs);
    // One that is frozen could not hear of the stop.
    this.kill('SIGCONT');
    this.kill('SIGINT');
    const codes = await Promise.all(this.hosts.map(({ process }) => process.exited));
    clearTimeout(overdue);
    this.#stopped.abort(new Error('the hosts have stopped'));
    return codes;
  }

  #newHost(name: string): Host {
    const host: Omit<Host, 'process'> = { name, handled: 0 };
    return Object.assign(host, { process: this.#spawn(host) });
  }

  #spawn(host: Omit<Host, 'process'>): HostProcess {
    const { folder, tell, ...options } = this.#options;
    const process = new HostProcess({
      ...options,
      stateDir: join(folder, host.name),
      logged: (line) => this.#hear(host as Host, line),
      printed: (text) => tell(`${host.name}: ${text}`),
    });
    this.#names.set(process.pid, host.name);
    void process.exited.then((code) => {
      // Ctrl-C in a terminal stops it, and `kill -9` ends it, by a signal.
      if (this.#isStopping || code === undefined || code === ExitCode.clean) return;
      this.#brokenBy = code;
      this.#broken.abort(new Error(`${host.name} has ended`));
    });
    return process;
  }

  #hear(host: Host, line: LogLine): void {
    const { tell } = this.#options;
    const words = this.#inWords(line);
    if (words !== undefined) tell(`${host.name} ${words}`);
    else if (!['trace', 'debug', 'info'].includes(line.level)) tell(`${host.name}: ${line.message}`);
    if (line.event === 'inbox.turn-began') this.#polling = host;
    if (line.event === 'lifecycle.stopped') host.handled += handledIn(line);
    for (const listener of [...this.#listeners]) listener({ ...line, host });
  }

  /** What an event means to who sees it for the first time. */
  #inWords({ event, fields }: LogLine): string | undefined {
    switch (event) {
      case 'inbox.opened':
        return 'is connected to the database, and handles updates';
      case 'inbox.turn-began':
        return 'polls Telegram from now on, for all';
      case 'inbox.standing-by':
        return `does not poll, since ${this.#nameIn(fields['holder'])} does`;
      case 'inbox.host-freed':
        return `notices that ${this.#nameIn(fields['place'])} has been silent for 5 s: what that had (${fields['running']} at work) goes to the others`;
      case 'inbox.turn-lost':
        return 'knows that it may not poll any more';
      case 'inbox.host-lost':
        return 'learns that it was taken for dead, and lets go of what the others have by now';
      case 'inbox.unreachable':
        return 'has lost a connection to the database, and connects again';
      case 'process.stood-still':
        return `notices that it stood still for ${seconds(Number(fields['ms']))}`;
      case 'lifecycle.stopped':
        return `has stopped, exit code ${fields['exitCode']}`;
      default:
        return undefined;
    }
  }

  /** Returns the name of the host in a place, such as `a-machine (pid 4711)`. */
  #nameIn(place: unknown): string {
    const pid = Number(/\(pid (\d+)\)/.exec(`${place}`)?.[1]);
    return this.#names.get(pid) ?? 'another host';
  }
}

/** The number in a receipt. */
function handledIn({ fields: { counts } }: LogLine): number {
  return isObject(counts) ? Number(counts['handled']) : 0;
}
