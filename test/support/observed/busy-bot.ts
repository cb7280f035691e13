/**
 * A bot that is taken through the states in which an operator may find it, on a sandbox that knows the truth of each. Whoever
 * tells of a bot (`lastcall status`, the metrics) is asked in each of them, while it lasts.
 */
import { expect } from '@jest/globals';
import type { Daemon } from '../daemon.js';
import { openSandbox, runBot, type TestBed } from '../delivery.js';
import { slowAnswers } from '../programs.js';
import { idle } from '../stopping.js';

/** How long the server takes to answer the handlers of most updates. */
export const ANSWER_MS = 200;
export const STOP_TIMEOUT_MS = 5_000;

const HANDLED = 20;
const FAILED = 2;
/** What a busy machine may add to a time. */
const TOLERANCE_MS = 1_500;

export interface Scene {
  readonly bed: TestBed;
  /** The process that has the bot. */
  readonly daemon: Daemon;
  /** When the handler began that does not end, in milliseconds since 1970. */
  readonly slowSince: number;
}

/** What there is to ask of a process in each state. Each has to return before the state is over. */
export interface Observer {
  /** One handler runs on, updates wait behind it in its chat, some have failed, many are answered. */
  underLoad(scene: Scene): Promise<void>;
  /** Another process waits for the bot. */
  standingBy(scene: Scene, other: Daemon): Promise<void>;
  /** Updates have waited for long behind the handler that runs on, although slots are free. */
  jammed(scene: Scene): Promise<void>;
  /** The server answers no call well. */
  inOutage(scene: Scene): Promise<void>;
  afterOutage(scene: Scene): Promise<void>;
  /** The process was told to stop, and waits for the handler that runs on. */
  draining(scene: Scene): Promise<void>;
  /** The process has ended well, with updates left to the next. */
  stopped(scene: Scene): Promise<void>;
  /** The next process has handled what was left. */
  restarted(scene: Scene, next: Daemon): Promise<void>;
  /** That process was killed. */
  killed(scene: Scene): Promise<void>;
  /** Another process has come after it. */
  afterKill(scene: Scene, next: Daemon): Promise<void>;
}

/** What became of all that was said, as the sandbox knows it. */
export function truthOf({ bed }: Pick<Scene, 'bed'>) {
  const exchanges = bed.exchanges();
  const open = exchanges.filter((exchange) => exchange.answers.length === 0);
  const failed = open.filter(({ text }) => text.startsWith('fail')).length;
  const running = open.filter(({ text }) => text === 'slow').length;
  return {
    said: exchanges.length,
    handled: exchanges.length - open.length,
    failed,
    running,
    waiting: open.length - failed - running,
    /** The update whose handler does not end. */
    slow: exchanges.find(({ text }) => text === 'slow')?.updateId,
  };
}

export const expectAboutMs = (actual: number | undefined, ms: number): void =>
  expect(Math.abs((actual ?? Number.NaN) - ms)).toBeLessThan(TOLERANCE_MS);

/** Takes a bot through the states, and asks each of the observers in each of them. */
export async function throughStates(observers: readonly Observer[]): Promise<void> {
  const ask = async (look: (observer: Observer) => Promise<void>) => {
    for (const observer of observers) await look(observer);
  };
  await using bed = await openSandbox();
  await using daemon = run(bed);
  const scene = await fill(bed, daemon);
  await ask((observer) => observer.underLoad(scene));

  await using other = run(bed);
  await other.waitFor('lock.waiting');
  await ask((observer) => observer.standingBy(scene, other));
  expect(await other.stop()).toMatchObject({ code: 0 });

  await daemon.waitFor('dispatch.jammed');
  await ask((observer) => observer.jammed(scene));

  const outage = bed.addFault({ kind: 'error', status: 502 });
  await daemon.waitFor('dispatch.held');
  await ask((observer) => observer.inOutage(scene));
  bed.removeFaults(outage);
  await daemon.waitFor('poll.recovered');
  await ask((observer) => observer.afterOutage(scene));

  daemon.kill('SIGTERM');
  await daemon.waitFor('drain.started');
  await ask((observer) => observer.draining(scene));
  daemon.child.send('go on');
  expect(await daemon.end()).toMatchObject({ code: 0 });
  await ask((observer) => observer.stopped(scene));

  await using next = run(bed);
  await bed.waitFor(() => truthOf(scene).waiting === 0);
  await ask((observer) => observer.restarted(scene, next));
  await next.stop('SIGKILL');
  await ask((observer) => observer.killed(scene));

  await using last = run(bed);
  await ask((observer) => observer.afterKill(scene, last));
  expect(await last.stop()).toMatchObject({ code: 0 });
}

const run = (bed: TestBed): Daemon =>
  runBot(bed, 'moody', {
    ipc: true,
    env: { METRICS: '127.0.0.1:0', LOG_LEVEL: 'debug', STOP_TIMEOUT: `${STOP_TIMEOUT_MS}ms` },
  });

async function fill(bed: TestBed, daemon: Daemon): Promise<Scene> {
  await idle(bed);
  slowAnswers(bed, ANSWER_MS);
  const slowSince = Date.now();
  for (const text of ['slow', 'first behind', 'second behind']) bed.say({ chat: 1, text });
  for (let chat = 2; chat < 2 + FAILED; chat++) bed.say({ chat, text: `fail ${chat}` });
  for (let n = 0; n < HANDLED; n++) bed.say({ chat: 100 + n, text: 'well' });
  await bed.waitFor(() => truthOf({ bed }).handled === HANDLED);
  await daemon.waitFor(
    () => daemon.lines.filter(({ event }) => event === 'handler.failed').length === FAILED,
  );
  return { bed, daemon, slowSince };
}
