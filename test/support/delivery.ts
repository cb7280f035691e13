/** Bots of the built program at work on a sandbox, and what became of the updates they were sent. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReceiptCounts } from '../../src/logging/receipt.js';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.js';
import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';
import { type Daemon, type DaemonOptions, fixture, type LogLine, spawnDaemon } from './daemon.js';

/** A sandbox, and the state directory of the bots that run on it, from one run to the next. */
export interface TestBed extends Sandbox, AsyncDisposable {
  readonly stateDir: string;
}

/** Without a state directory each run begins with an empty one. */
type BotHome = Sandbox & { readonly stateDir?: string };

/** A sandbox that closes with its test: `await using`. */
export async function openSandbox(options?: SandboxOptions): Promise<TestBed> {
  const sandbox = await startSandbox(options);
  const stateDir = mkdtempSync(join(tmpdir(), 'lastcall-state-'));
  return Object.assign(sandbox, {
    stateDir,
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      rmSync(stateDir, { recursive: true, force: true });
    },
  });
}

export interface BotOptions extends DaemonOptions {
  /** The bot that is run, one of several on the sandbox; default: the sandbox's own. */
  readonly bot?: SandboxBot;
}

/** Runs a bot module of the fixtures. */
export function runBot(sandbox: BotHome, module: string, options: BotOptions = {}): Daemon {
  return runProgram(sandbox, fixture('modules', `${module}.mjs`), options);
}

/** Runs a file, as `lastcall run FILE` does. */
export function runProgram(
  sandbox: BotHome,
  file: string,
  { bot = sandbox, args = [], env = {}, ...options }: BotOptions = {},
): Daemon {
  const { apiRoot, stateDir } = sandbox;
  return spawnDaemon({
    args: ['run', file, ...args],
    env: {
      BOT_TOKEN: bot.token,
      TELEGRAM_API_ROOT: apiRoot,
      ...(stateDir !== undefined && { STATE_DIR: stateDir }),
      ...env,
    },
    ...options,
  });
}

/** How many updates met each fate; all is well when there are none. */
export interface Mishaps {
  /** Said and not answered. */
  readonly lost: number;
  /** Answered more than once. */
  readonly twice: number;
  /** Answered, for the first time, before something that was said earlier in the same chat. */
  readonly outOfOrder: number;
}

export const noMishaps: Mishaps = { lost: 0, twice: 0, outOfOrder: 0 };

export function mishaps(bot: SandboxBot): Mishaps {
  const exchanges = bot.exchanges();
  const latest = new Map<number, number>();
  let outOfOrder = 0;
  for (const { chat, answers } of exchanges) {
    const atMs = answers[0]?.atMs;
    if (atMs === undefined) continue;
    const before = latest.get(chat) ?? 0;
    if (atMs < before) outOfOrder++;
    latest.set(chat, Math.max(atMs, before));
  }
  const { unanswered, answeredTwice } = bot.report();
  return { lost: unanswered, twice: answeredTwice, outOfOrder };
}

/** Resolves once the bot has sent so many messages, in all runs together. */
export async function answers(sandbox: Sandbox, count: number, patienceMs = 20_000): Promise<void> {
  await sandbox.waitFor(() => sandbox.callCount('sendMessage') >= count, patienceMs);
}

/** Resolves once all that was said so far is answered. */
export async function allAnswered(sandbox: Sandbox, patienceMs = 20_000): Promise<void> {
  await sandbox.waitFor(() => sandbox.unanswered === 0, patienceMs);
}

/** The figures of a receipt as they stand in the log. */
export type Counts = Omit<ReceiptCounts, 'confirmedUpTo'> & { readonly confirmedUpTo?: number };

/** The receipt's figures. Throws when they do not add up: each update fetched has one fate. */
export function countsOf(receipt: LogLine): Counts {
  const counts = receipt['counts'] as Counts;
  const { fetched, recovered, handled, caught, failed, timedOut, expired, dropped, left } = counts;
  if (fetched + recovered !== handled + caught + failed + timedOut + expired + dropped + left)
    throw new Error(`the receipt's figures do not add up: ${JSON.stringify(counts)}`);
  return counts;
}
