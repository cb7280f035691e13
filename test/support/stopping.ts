/** A bot on the sandbox as a real process, and what its stop came to: what the tests of stops share. */
import { expect } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';
import { type Daemon, type DaemonOptions, type Exit, fixture, type LogLine, spawnDaemon } from './daemon.js';

/** "Within its bound" means the budget and this, for the process to end. */
export const MARGIN_MS = 250;
/** Other test files may have the processor at that time. The margin itself is held to by the files that run alone. */
const MARGIN_BESIDE_OTHERS_MS = 3_000;
const BUDGET_MS = 2_000;

export interface BotOptions extends DaemonOptions {
  /** Default: the sandbox's own. */
  readonly bot?: SandboxBot;
}

/** Runs a module of the fixtures on the sandbox, with a budget of 2 s unless the environment says otherwise. */
export function startBot(
  { apiRoot, token }: Sandbox,
  module: string,
  { bot, env, args = [], ...options }: BotOptions = {},
): Daemon {
  return spawnDaemon({
    ...options,
    args: ['run', fixture('modules', module), ...args],
    env: {
      BOT_TOKEN: bot?.token ?? token,
      TELEGRAM_API_ROOT: apiRoot,
      STOP_TIMEOUT: `${BUDGET_MS}ms`,
      ...env,
    },
  });
}

/** Resolves once the daemon's long poll waits at the server. */
export function idle(sandbox: Sandbox, bot: SandboxBot = sandbox): Promise<void> {
  return sandbox.waitFor(() => bot.state().waitingPolls === 1);
}

/** Resolves once the bot has fetched so many updates at once, and handles them; its log has to tell of polls (`debug`). */
export async function atWork(sandbox: Sandbox, daemon: Daemon, count: number): Promise<void> {
  await daemon.waitFor((line) => line.event === 'poll.answered' && line['count'] === count);
  // It asks for more once these are safe and on their way.
  await idle(sandbox);
}

/** Somebody writes to the bot in each of so many chats, once: `hello 1`, `hello 2`, … */
export function sayInChats(bot: SandboxBot, chats: number, text = 'hello'): void {
  for (let chat = 1; chat <= chats; chat++) bot.say({ chat, text: `${text} ${chat}` });
}

export interface Stopped {
  readonly code?: number;
  /** As the log says it: `SIGTERM`. */
  readonly reason: string | RegExp;
  readonly outcome?: 'clean' | 'cut' | 'fault';
  readonly budgetMs?: number;
}

/** How much longer than promised an end may take in this run. */
const marginMs = () => (process.env['RUNS_BESIDE_OTHERS'] ? MARGIN_BESIDE_OTHERS_MS : MARGIN_MS);

/** Holds the end of a process to its promise: exit code, bound, and a receipt that says the same. */
export function expectStopped(
  { receipt }: Daemon,
  { code, signal, tookMs }: Exit & { readonly tookMs: number },
  expected: Stopped,
): LogLine {
  const exitCode = expected.code ?? 0;
  const budgetMs = expected.budgetMs ?? BUDGET_MS;
  expect({ code, signal }).toEqual({ code: exitCode, signal: null });
  expect(tookMs).toBeLessThan(budgetMs + marginMs());
  expect(receipt).toMatchObject({
    exitCode,
    outcome: expected.outcome ?? (exitCode === 0 ? 'clean' : 'cut'),
  });
  expect(receipt['reason']).toMatch(expected.reason);
  return receipt;
}

/** The same for a stop that has nothing to wait for. */
export function expectStoppedAtOnce(...how: Parameters<typeof expectStopped>): LogLine {
  const receipt = expectStopped(...how);
  expect(receipt['stopDurationMs']).toBeLessThan(marginMs());
  return receipt;
}

/** The receipt's phases: `stop intake: done`, … */
export function steps({ phases }: LogLine): string[] {
  const told = phases as readonly { readonly hook: string; readonly step: string; readonly result: string }[];
  return told.map(({ hook, step, result }) => `${step} ${hook}: ${result}`);
}

/** The lines of one event. */
export function told({ lines }: Daemon, event: string): LogLine[] {
  return lines.filter((line) => line.event === event);
}
