/** Processes that share one inbox, as on several hosts, and the load that is put on them. */
import { fork } from 'node:child_process';
import { join } from 'node:path';

const program = join(import.meta.dirname, 'host.js');

/** Far more than any command takes. */
const PATIENCE_MS = 300_000;

/** Those that run, so that none outlives this process, however it ends. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

class Host {
  handled = 0;
  arrivals = [];
  #child;
  #asked = new Map();
  #exited;

  constructor(options, told) {
    this.#child = fork(program, [JSON.stringify(options)], { stdio: 'inherit', execArgv: options.execArgv ?? [] });
    running.add(this.#child);
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve));
    void this.#exited.then((code) => {
      running.delete(this.#child);
      for (const { reject } of this.#asked.values()) reject(new Error(`a host ended with ${code}`));
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
    const id = Symbol.for(command).description + this.#asked.size + Math.random();
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#child.send({ id, command, argument });
    });
  }

  async end() {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.ask('close').catch(() => {});
    await this.#exited;
    clearTimeout(timer);
  }
}

export class Fleet {
  hosts = [];
  #fed = 0;
  #awaited = undefined;

  /** Starts so many hosts; the first of them is the one that accepts. */
  static async start(number, options) {
    const fleet = new Fleet();
    fleet.hosts = Array.from({ length: number }, () => new Host(options, () => fleet.#look()));
    for (const host of fleet.hosts) await host.ask('open');
    await fleet.hosts[0].ask('turn');
    return fleet;
  }

  get handled() {
    return this.hosts.reduce((sum, host) => sum + host.handled, 0);
  }

  get arrivals() {
    return this.hosts.flatMap(({ arrivals }) => arrivals);
  }

  async startHandling() {
    await Promise.all(this.hosts.map((host) => host.ask('handle')));
  }

  /** Resolves, when the last batch is in the database, with how long each took. */
  accept({ count, chats }) {
    const from = this.#fed + 1;
    this.#fed += count;
    return this.hosts[0].ask('accept', { count, chats, from });
  }

  trickle({ count, chats, everyMs }) {
    const from = this.#fed + 1;
    this.#fed += count;
    return this.hosts[0].ask('trickle', { count, chats, from, everyMs });
  }

  /** Resolves when so many have been handled in all. */
  allHandled(count = this.#fed) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`only ${this.handled} of ${count} handled`)), PATIENCE_MS);
      this.#awaited = {
        count,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#look();
    });
  }

  /** What the hosts have used since they were started, in milliseconds. */
  async cpuMs() {
    const used = await Promise.all(this.hosts.map((host) => host.ask('cpuMs')));
    return used.reduce((sum, ms) => sum + ms, 0);
  }

  async end() {
    await Promise.all(this.hosts.map((host) => host.end()));
  }

  #look() {
    if (!this.#awaited || this.handled < this.#awaited.count) return;
    this.#awaited.resolve();
    this.#awaited = undefined;
  }
}
