/**
 * A network of its own, in which a program reaches a server of the test until the way to it becomes a black hole: packets
 * are dropped without a word, as by a firewall or a broken route.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixture } from './daemon.js';

const ADDRESS = '10.9.9.9';
const PORT = 8081;

/**
 * The address is that of the loopback interface only as long as the local route stands. Without it the packets go to one
 * end of a cable, to a hardware address that the other end does not have.
 */
const setUp = `
ip link set lo up
ip link add sink type veth peer name drain
ip link set sink up
ip link set drain up
ip addr add 10.9.8.1/24 dev sink
ip neigh add ${ADDRESS} lladdr 02:00:00:00:00:01 dev sink nud permanent
ip route add ${ADDRESS} dev sink src 10.9.8.1
ip route add local ${ADDRESS} dev lo
exec "$@"
`;

/** Why there can be no such network here; undefined where there can. */
export function whyNoBlackHole(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'it takes root';
  try {
    execFileSync(...inNewNetwork('true'), { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no network namespace: ${error instanceof Error ? error.message.split('\n', 2).join(' ') : error}`;
  }
}

/** The command by which the others run in a new network. */
const inNewNetwork = (...command: readonly string[]) =>
  ['sh', ['-c', 'exec unshare -n sh -ec "$@"', 'sh', setUp, 'sh', ...command]] as const;

export class CutNetwork implements AsyncDisposable {
  readonly #relay: ChildProcess;
  readonly #server: net.Server;
  readonly #folder: string;

  private constructor(relay: ChildProcess, server: net.Server, folder: string) {
    this.#relay = relay;
    this.#server = server;
    this.#folder = folder;
  }

  /** A network from which a server of this process, on a port of 127.0.0.1, can be reached. */
  static async open(port: number): Promise<CutNetwork> {
    const folder = mkdtempSync(join(tmpdir(), 'lastcall-relay-'));
    const path = join(folder, 'socket');
    const server = net.createServer((near) => {
      const far = net.connect(port, '127.0.0.1');
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy()).on('close', () => far.destroy());
      far.on('error', () => near.destroy()).on('close', () => near.destroy());
    });
    await once(server.listen(path), 'listening');
    const relayFile = fixture('drivers', 'relay.mjs');
    const command = inNewNetwork(process.execPath, relayFile, ADDRESS, String(PORT), path);
    const relay = spawn(...command, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(relay.stdout, 'data');
    return new CutNetwork(relay, server, folder);
  }

  readonly apiRoot = `http://${ADDRESS}:${PORT}`;

  /** The command by which a program runs in the network. */
  get entering(): readonly string[] {
    return ['nsenter', `--net=/proc/${this.#relay.pid}/ns/net`];
  }

  cut(): void {
    this.#ip('route', 'del', 'local', ADDRESS, 'dev', 'lo');
  }

  mend(): void {
    this.#ip('route', 'add', 'local', ADDRESS, 'dev', 'lo');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#relay.kill('SIGKILL');
    await once(this.#relay, 'exit');
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #ip(...args: readonly string[]): void {
    const [command = '', ...entering] = this.entering;
    execFileSync(command, [...entering, 'ip', ...args]);
  }
}
