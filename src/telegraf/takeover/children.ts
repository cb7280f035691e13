/**
 * Watches the worker threads and Node processes that a program starts: each runs `child.ts` first, which holds back the
 * polls that are made there, and asks here whether they may go on.
 */
import childProcess from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import workerThreads, { type WorkerOptions } from 'node:worker_threads';
import { isObject, parseJson } from '../../json.js';
import { childFile } from '../child-file.js';
import { ADDRESS, GO_ON } from './child-question.js';
import { Patches } from './patches.js';

/** A worker thread or process that is about to poll. */
export interface PollingChild {
  /** The file that it runs; undefined if it runs none. */
  readonly file: string | undefined;
  readonly isThread: boolean;
  /** Lets it poll from now on. Unless this is called, it ends when the watch ends. */
  goOn(): void;
}

export class Children {
  readonly #polls: (child: PollingChild) => void;
  readonly #patches = new Patches();
  readonly #connections = new Set<Socket>();
  #server: Server | undefined;

  /** @param polls called for each child that is about to poll */
  constructor(polls: (child: PollingChild) => void) {
    this.#polls = polls;
    // Sources that have not been built have no such file.
    if (!existsSync(childFile)) return;
    this.#holdProcesses();
    this.#holdThreads();
    syncBuiltinESMExports();
  }

  /** Watches no child that is started from now on. Those that have been started still ask. */
  release(): void {
    this.#patches.undo();
    syncBuiltinESMExports();
  }

  close(): void {
    this.release();
    this.#server?.close();
    for (const connection of this.#connections) connection.destroy();
  }

  /** All ways to start a process that can be waited for pass there. */
  #holdProcesses(): void {
    const { prototype } = childProcess.ChildProcess as unknown as {
      prototype: { spawn(options: { envPairs?: string[] }): unknown };
    };
    const { spawn } = prototype;
    const patches = this.#patches;
    const extendedPairs = (pairs: string[]) => this.#extendPairs(pairs);
    patches.replace(prototype, 'spawn', function (this: unknown, ...args: Parameters<typeof spawn>) {
      const [options] = args;
      if (patches.active && isObject(options) && options.envPairs)
        options.envPairs = extendedPairs(options.envPairs);
      return Reflect.apply(spawn, this, args);
    });
  }

  #holdThreads(): void {
    const { Worker } = workerThreads;
    const patches = this.#patches;
    const extended = (options: WorkerOptions) => this.#extendOptions(options);
    const watched = new Proxy(Worker, {
      construct(target, args: ConstructorParameters<typeof Worker>, newTarget: typeof Worker) {
        const plain = () => Reflect.construct(target, args, newTarget);
        const [file, options] = [args[0], args[1] ?? {}];
        if (!patches.active || options.env === workerThreads.SHARE_ENV) return plain();
        try {
          return Reflect.construct(target, [file, extended(options)], newTarget);
        } catch {
          // Some flags of a process are refused for threads, unless they are inherited.
          return plain();
        }
      },
    });
    patches.replace(workerThreads, 'Worker', watched);
  }

  #extendPairs(pairs: string[]): string[] {
    const address = this.#listen();
    if (address === undefined) return pairs;
    const name = 'NODE_OPTIONS=';
    const given = pairs.findLast((pair) => pair.startsWith(name))?.slice(name.length);
    const nodeOptions = [given, `--require=${JSON.stringify(childFile)}`].filter(Boolean).join(' ');
    return [
      ...pairs.filter((pair) => !pair.startsWith(name)),
      `${name}${nodeOptions}`,
      `${ADDRESS}=${address}`,
    ];
  }

  #extendOptions(options: WorkerOptions): WorkerOptions {
    const address = this.#listen();
    if (address === undefined) return options;
    return {
      ...options,
      env: { ...(options.env === undefined ? process.env : Object(options.env)), [ADDRESS]: address },
      execArgv: [...(options.execArgv ?? process.execArgv), '--require', childFile],
    };
  }

  /**
   * Listens from the first child on. Returns the address: a socket that only this user can connect to; undefined where there
   * is no place for one.
   */
  #listen(): string | undefined {
    this.#server ??= createServer((connection) => this.#answer(connection))
      .on('error', () => {})
      // By this process itself, also in a cluster.
      .listen({ path: join(tmpdir(), `lastcall-${randomUUID()}`), exclusive: true })
      .unref();
    const address = this.#server.address();
    return typeof address === 'string' ? address : undefined;
  }

  #answer(connection: Socket): void {
    this.#connections.add(connection);
    connection.unref();
    connection.setEncoding('utf8');
    connection.on('error', () => {});
    connection.on('close', () => this.#connections.delete(connection));
    connection.once('data', (question: string) => {
      const asked = parseJson(question);
      if (!isObject(asked)) return;
      const { file, isThread } = asked;
      this.#polls({
        file: typeof file === 'string' ? file : undefined,
        isThread: isThread === true,
        goOn: () => connection.write(GO_ON),
      });
    });
  }
}
