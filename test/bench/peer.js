/**
 * One of those compared, at work: a process of its own on a sandbox of its own. The sandbox is in this process, which
 * has nothing else to do.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../../dist/sandbox/sandbox.js';
import { peerNamed } from './peers.js';

/** How long a process may take to poll, or to end. */
const PATIENCE_MS = 30_000;

/** Far more than any measure takes. */
const LONGEST_WORK_MS = 300_000;

/** Those that run, so that none outlives this process, however it ends. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A folder on the disk that lastcall's state is on in this bench. */
export const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'lastcall-bench-'));

export class Peer {
  #child;
  #exited;
  #stateDir;
  #handled;
  sandbox;
  /** When the first getUpdates arrived, by `performance.now()`. */
  firstPollAt;
  /** From the spawn until then. */
  startMs;
  /** The sizes of the heap that the program has told, in bytes, the oldest first. */
  heaps = [];

  /** Resolves once it polls; `prepare` sees the sandbox before. Rejects when the process ends instead. */
  static async start(name, bot, { env = {}, prepare = () => {}, sandbox = {} }) {
    const peer = new Peer();
    peer.sandbox = await startSandbox(sandbox);
    try {
      prepare(peer.sandbox);
      await peer.#spawn(peerNamed(name, bot), env);
    } catch (error) {
      await peer.end();
      throw error;
    }
    return peer;
  }

  async #spawn({ command, keepsState, env: own }, env) {
    const { apiRoot, token } = this.sandbox;
    if (keepsState) this.#stateDir = temporaryFolder();
    const spawnedAt = performance.now();
    this.#child = spawn(process.execPath, command, {
      env: {
        PATH: process.env.PATH,
        HOME: tmpdir(),
        BOT_TOKEN: token,
        TELEGRAM_API_ROOT: apiRoot,
        ...(keepsState && { STATE_DIR: this.#stateDir }),
        ...own,
        ...env,
      },
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    running.add(this.#child);
    this.#child.stdout.resume();
    this.#handled = new Promise((resolve) => {
      createInterface(this.#child.stdio[3]).on('line', (line) => {
        const [what, bytes] = line.split(' ');
        if (what === 'handled') resolve();
        else this.heaps.push(Number(bytes));
      });
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal, at: performance.now() }));
    });
    const diedEarly = this.#exited.then(({ code }) => {
      throw new Error(`${command.join(' ')} ended with ${code} before it polled`);
    });
    const polled = this.sandbox.waitFor(() => this.sandbox.callCount('getUpdates') > 0, PATIENCE_MS);
    await Promise.race([polled, diedEarly]);
    this.firstPollAt = this.sandbox.calls({ method: 'getUpdates' })[0].atMs;
    this.startMs = this.firstPollAt - spawnedAt;
  }

  /**
   * Resolves once as many updates have been handled as the program was told in UPDATES. Rejects where the process ends
   * before, or takes longer than any may.
   */
  async allHandled() {
    const over = new AbortController();
    const inVain = Promise.race([
      this.#exited.then(({ code }) => `the process ended with ${code}`),
      sleep(LONGEST_WORK_MS, 'it took too long', { signal: over.signal }),
    ]).then((why) => {
      throw new Error(`Waited in vain for all updates to be handled: ${why}`);
    });
    try {
      await Promise.race([this.#handled, inVain]);
    } finally {
      inVain.catch(() => {});
      over.abort();
    }
  }

  /** Resolves once all are handled and nothing is left at the server. */
  async allDone() {
    // One after the other, so that the sandbox looks at the condition only at the end, not at each of many calls.
    await this.allHandled();
    await this.sandbox.waitFor(() => this.sandbox.state().queued === 0, LONGEST_WORK_MS);
  }

  /** In MB: all that is resident, and what no file stands behind; undefined where there is no /proc. */
  memory() {
    const file = `/proc/${this.#child.pid}/status`;
    if (!existsSync(file)) return undefined;
    const status = readFileSync(file, 'utf8');
    const mb = (field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
    return { resident: mb('VmRSS'), anonymous: mb('RssAnon') };
  }

  /** The processor time so far, in milliseconds; undefined where there is no /proc. */
  cpuMs() {
    const file = `/proc/${this.#child.pid}/stat`;
    if (!existsSync(file)) return undefined;
    // The name of the process, in brackets, may hold anything. The two times are in ticks of 10 ms.
    const fields = readFileSync(file, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Sends SIGTERM; resolves with the milliseconds until the process has ended. */
  async stop() {
    const from = performance.now();
    this.#child.kill('SIGTERM');
    const { at } = await this.#exited;
    return at - from;
  }

  /** Ends the process, if it still runs, and the sandbox. */
  async end() {
    this.#child?.kill('SIGKILL');
    await this.#exited;
    running.delete(this.#child);
    await this.sandbox.close();
    if (this.#stateDir) rmSync(this.#stateDir, { recursive: true, force: true });
  }
}

/** Starts a peer for as long as `measure` takes. */
export async function withPeer(name, bot, options, measure) {
  const peer = await Peer.start(name, bot, options);
  try {
    return await measure(peer);
  } finally {
    await peer.end();
  }
}
