/** Processes that share one inbox, as on several hosts, and the load that is put on them. */
import { fork } from 'node:child_process';
import { join } from 'node:path';

const program = join(import.meta.dirname, 'host.js');

/** Far more than any load takes. */
const PATIENCE_MS = 300_000;

const STOP_WITHIN_MS = 10_000;

/** Those that run, so that none outlives this process, however it ends. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

class Host {
  handled = 0;
  arrivals = [];
  #child;
  #exited;
  #asked = new Map();
  #questions = 0;

  constructor(options, told) {
    this.#child = fork(program, [JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    running.add(this.#child);
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve));
    void this.#exited.then((code) => {
      running.delete(this.#child);
      for (const { reject } of this.#asked.values()) reject(new Error(`a host has ended with ${code}`));
    });
    this.#child.on('message', ({ id, result, handled, arrivals }) => {
      if (id === undefined) {
        this.handled = handled;
        this.arrivals.push(...arrivals);
        told();
        return;
      }
      this.#asked.get(id)?.resolve(result);
      this.#asked.delete(id);
    });
  }

  ask(command, argument) {
    const id = this.#questions++;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#child.send({ id, command, argument });
    });
  }

  async end() {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_WITHIN_MS);
    await this.ask('close').catch(() => {});
    await this.#exited;
    clearTimeout(timer);
  }
}

export class Fleet {
  #hosts = [];
  #accepted = 0;
  #awaited;

  /** Starts so many hosts of a bot, none of which handles anything yet. The first of them accepts, the others stand by. */
  static async start(number, { bot = 'bench', ...options }) {
    const fleet = new Fleet();
    fleet.#hosts = Array.from({ length: number }, () => new Host({ bot, ...options }, () => fleet.#look()));
    try {
      for (const host of fleet.#hosts) await host.ask('open');
      const [first, ...others] = fleet.#hosts;
      await first.ask('poll');
      for (const host of others) await host.ask('standBy');
    } catch (error) {
      await fleet.end();
      throw error;
    }
    return fleet;
  }

  async startHandling() {
    await Promise.all(this.#hosts.map((host) => host.ask('handle')));
  }

  /** Resolves, when the last batch is in the database, with how long each took, in milliseconds. */
  accept(load) {
    return this.#feed('accept', load);
  }

  /** Has one update arrive at a time. Resolves with how long each took to its handler, in milliseconds. */
  async trickle(load) {
    await this.#feed('trickle', load);
    await this.allHandled();
    return this.#hosts.flatMap(({ arrivals }) => arrivals);
  }

  /** Resolves when all that was accepted, or is being so, has been handled. */
  allHandled() {
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(new Error(`only ${this.#handled} of ${this.#accepted} have been handled`));
      const timer = setTimeout(giveUp, PATIENCE_MS);
      this.#awaited = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#look();
    });
  }

  /** What the hosts have used since they were started, in milliseconds. */
  async cpuMs() {
    const used = await Promise.all(this.#hosts.map((host) => host.ask('cpuMs')));
    return used.reduce((sum, ms) => sum + ms, 0);
  }

  async end() {
    await Promise.all(this.#hosts.map((host) => host.end()));
  }

  #feed(command, load) {
    const from = this.#accepted + 1;
    this.#accepted += load.count;
    return this.#hosts[0].ask(command, { ...load, from });
  }

  get #handled() {
    return this.#hosts.reduce((sum, { handled }) => sum + handled, 0);
  }

  #look() {
    if (this.#handled < this.#accepted) return;
    this.#awaited?.();
    this.#awaited = undefined;
  }
}

/** Starts a fleet for as long as `measure` takes. */
export async function withFleet(number, options, measure) {
  const fleet = await Fleet.start(number, options);
  try {
    return await measure(fleet);
  } finally {
    await fleet.end();
  }
}
