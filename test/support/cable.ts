/**
 * A host of its own: a network that a cable joins to that of the tests. Where the cable is cut, packets of both directions
 * are lost without a word, so that neither side learns of it but by its own time limits.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

/** A hardware address that neither end of the cable has. */
const NOBODY = '02:00:00:00:00:01';

/** Why there can be no cable here; undefined where there can. */
export function whyNoCable(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'it takes root';
  try {
    const [one, other] = [`lca${process.pid}`, `lcb${process.pid}`];
    run('unshare', '-n', 'ip', 'link', 'add', one, 'type', 'veth', 'peer', 'name', other);
    run('ip', 'link', 'add', one, 'type', 'veth', 'peer', 'name', other);
    run('ip', 'link', 'del', one);
    return undefined;
  } catch (error) {
    return `no cable: ${error instanceof Error ? error.message.split('\n', 2).join(' ') : error}`;
  }
}

export class Cable implements AsyncDisposable {
  /** The address of the tests' end, which all that listens on every address has, too. */
  readonly address: string;
  readonly #farAddress: string;
  readonly #host: ChildProcess;
  readonly #relays: net.Server[] = [];
  /** The names of the two ends. */
  readonly #near: string;
  readonly #far: string;

  private constructor(host: ChildProcess) {
    this.#host = host;
    const { pid = 0 } = host;
    const subnet = `10.${64 + (pid % 64)}.${(pid >> 6) % 256}`;
    this.address = `${subnet}.1`;
    this.#farAddress = `${subnet}.2`;
    this.#near = `lcn${pid}`;
    this.#far = `lcf${pid}`;
  }

  static async open(): Promise<Cable> {
    // The network is there for as long as the process, and that for as long as its input.
    const host = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(host.stdout, 'data');
    const cable = new Cable(host);
    cable.#lay();
    return cable;
  }

  /** The command by which a program runs at the far end. */
  get entering(): readonly string[] {
    return ['nsenter', `--net=/proc/${this.#host.pid}/ns/net`];
  }

  /** Makes a port of 127.0.0.1 one that the far end can reach, too. Returns what is to be named there: address and port. */
  async relay(port: number): Promise<string> {
    const server = net.createServer((near) => {
      const far = net.connect(port, '127.0.0.1');
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy()).on('close', () => far.destroy());
      far.on('error', () => near.destroy()).on('close', () => near.destroy());
    });
    this.#relays.push(server);
    await once(server.listen(0, this.address), 'listening');
    return `${this.address}:${(server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#misdirect(this.#near, this.#farAddress, 'ip');
    this.#misdirect(this.#far, this.address, ...this.entering, 'ip');
  }

  mend(): void {
    run('ip', 'neigh', 'del', this.#farAddress, 'dev', this.#near);
    run(...this.entering, 'ip', 'neigh', 'del', this.address, 'dev', this.#far);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const relay of this.#relays) relay.close();
    const exited = once(this.#host, 'exit');
    this.#host.stdin?.end();
    await exited;
  }

  #lay(): void {
    const [near, far] = [this.#near, this.#far];
    run('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', `${this.#host.pid}`);
    run('ip', 'addr', 'add', `${this.address}/24`, 'dev', near);
    run('ip', 'link', 'set', near, 'up');
    const inside = [...this.entering, 'ip'];
    run(...inside, 'link', 'set', 'lo', 'up');
    run(...inside, 'addr', 'add', `${this.#farAddress}/24`, 'dev', far);
    run(...inside, 'link', 'set', far, 'up');
  }

  #misdirect(device: string, address: string, ...ip: readonly string[]): void {
    run(...ip, 'neigh', 'replace', address, 'lladdr', NOBODY, 'dev', device, 'nud', 'permanent');
  }
}

function run(...[command = '', ...args]: readonly string[]): void {
  execFileSync(command, args, { stdio: 'pipe' });
}
