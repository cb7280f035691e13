/**
 * The two that are compared. Each runs the same program, written for plain Telegraf, as a process of its own on a
 * sandbox of its own; the sandbox is in this process, which has nothing else to do.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '../../dist/sandbox/sandbox.js';

const root = join(import.meta.dirname, '..', '..');
const programs = join(root, 'test', 'fixtures', 'bench');

/** What stands before the program's file on the command line of node. */
const commands = { lastcall: [join(root, 'dist', 'main.js'), 'run'], telegraf: [] };

export const peerNames = Object.keys(commands);

/** How long a process may take to poll, or to end. */
const PATIENCE_MS = 30_000;

/** Those that run, so that none outlives this process, however it ends. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Peer {
  #child;
  #exited;
  sandbox;
  /** When the first getUpdates arrived, by `performance.now()`. */
  firstPollAt;
  /** From the spawn until then. */
  startMs;

  /** Resolves once it polls; `prepare` sees the sandbox before. Rejects when the process ends instead. */
  static async start(name, program, { env = {}, prepare = () => {} }) {
    const peer = new Peer();
    peer.sandbox = await startSandbox();
    try {
      prepare(peer.sandbox);
      await peer.#spawn([...commands[name], join(programs, program)], env);
    } catch (error) {
      await peer.end();
      throw error;
    }
    return peer;
  }

  async #spawn(command, env) {
    const { apiRoot, token } = this.sandbox;
    const spawnedAt = performance.now();
    this.#child = spawn(process.execPath, command, {
      env: { PATH: process.env.PATH, HOME: tmpdir(), BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, ...env },
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.add(this.#child);
    this.#child.stdout.resume();
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

  /** In MB: all that is resident, and what no file stands behind; undefined where there is no /proc. */
  memory() {
    const file = `/proc/${this.#child.pid}/status`;
    if (!existsSync(file)) return undefined;
    const status = readFileSync(file, 'utf8');
    const mb = (field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
    return { resident: mb('VmRSS'), anonymous: mb('RssAnon') };
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
  }
}
