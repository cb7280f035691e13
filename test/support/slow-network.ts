/** Networks that work, but take their time: a name server that is slow, a line that is long, a line that is narrow. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixture } from './daemon.js';

const PORT = 8081;

/** A long line turns packets round on their way to the host, so that they arrive at this end. */
const HOST = { near: '10.9.7.2', far: '10.9.7.1' };

const setUp = `
mount --bind "$1/resolv.conf" /etc/resolv.conf
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
shift
exec "$@"
`;

/** Why there can be no such network here; undefined where there can. */
export function whyNoSlowNetwork(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'it takes root';
  try {
    execFileSync('unshare', ['-nm', 'true'], { stdio: 'pipe' });
    execFileSync('python3', ['--version'], { stdio: 'pipe' });
    accessSync('/dev/net/tun');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
  }
}

export interface Slowness {
  /** How long a look-up of the host's name takes, in milliseconds. */
  readonly lookUpMs?: number;
  /** How long a packet takes to the host, and back. The host then has an address of IPv6, too, to which there is no way. */
  readonly delayMs?: number;
}

/** The name of the server in the network, which a sandbox has to be told. */
export const API_NAME = 'botapi.test';

export class SlowNetwork implements AsyncDisposable {
  readonly apiRoot = `http://${API_NAME}:${PORT}`;
  readonly #process: ChildProcess;
  readonly #server: net.Server;
  readonly #folder: string;

  private constructor(process: ChildProcess, server: net.Server, folder: string) {
    this.#process = process;
    this.#server = server;
    this.#folder = folder;
  }

  /** A network from which a server of this process, on a port of 127.0.0.1, can be reached by a name. */
  static async open(port: number, { lookUpMs = 0, delayMs = 0 }: Slowness): Promise<SlowNetwork> {
    const folder = mkdtempSync(join(tmpdir(), 'lastcall-network-'));
    writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:30 attempts:1\n');
    writeFileSync(join(folder, 'nsswitch.conf'), 'hosts: files dns\n');
    const path = join(folder, 'socket');
    const server = relayTo(port, (from, to) => from.pipe(to));
    await once(server.listen(path), 'listening');
    const [near, far] = delayMs > 0 ? [HOST.near, HOST.far] : ['127.0.0.1', '127.0.0.1'];
    const driver = fixture('drivers', 'slow-network.mjs');
    const args = [near, PORT, path, far, lookUpMs, delayMs].map(String);
    const command = ['-nm', 'sh', '-ec', setUp, 'sh', folder, process.execPath, driver, ...args];
    const host = spawn('unshare', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([
      once(host.stdout, 'data'),
      once(host, 'exit').then(([code]) => Promise.reject(new Error(`no network: exit ${code}`))),
    ]);
    return new SlowNetwork(host, server, folder);
  }

  /** The command by which a program runs in the network. */
  get entering(): readonly string[] {
    const namespaces = `/proc/${this.#process.pid}/ns`;
    return ['nsenter', `--net=${namespaces}/net`, `--mount=${namespaces}/mnt`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.kill('SIGKILL')) await once(this.#process, 'exit');
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Pieces of a few packets, so that no pause is long. */
const PIECE_BYTES = 400;

/** A way to a port of 127.0.0.1 on which no connection gets more than so many bytes a second. */
export class NarrowLine implements AsyncDisposable {
  readonly apiRoot: string;
  readonly #server: net.Server;

  private constructor(server: net.Server) {
    this.#server = server;
    this.apiRoot = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(port: number, bytesPerSecond: number): Promise<NarrowLine> {
    const server = relayTo(port, async (from, to) => {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
          const piece = chunk.subarray(at, at + PIECE_BYTES);
          to.write(piece);
          await sleep((piece.length / bytesPerSecond) * 1_000);
        }
      }
      to.end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new NarrowLine(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
  }
}

/** A server that passes its connections on to a port; `carry` brings back what comes from there. */
function relayTo(port: number, carry: (from: net.Socket, to: net.Socket) => unknown): net.Server {
  return net.createServer((near) => {
    const far = net.connect(port, '127.0.0.1');
    near.pipe(far);
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    // Reading ends with an error where the connection is broken off, which the others have dealt with.
    Promise.resolve(carry(far, near)).catch(() => {});
  });
}
