/** Bot programs written for plain Telegraf, not changed by a byte, run by the built program. */
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';
import { type Daemon, type Exit, fixture, type LogLine } from './daemon.js';
import { type BotOptions, countsOf, mishaps, runProgram } from './delivery.js';
import { expectStopped, type Stopped } from './stopping.js';

/** Runs a program of the fixtures, with a budget of 2 s unless the environment says otherwise. */
export function launch(sandbox: Sandbox, name: string, { env, ...options }: BotOptions = {}): Daemon {
  return runProgram(sandbox, fixture('bots', name), { env: { STOP_TIMEOUT: '2s', ...env }, ...options });
}

/** Keeps each handler of the fixtures at work for so long: they end with an answer, and that takes its time. */
export function slowAnswers(sandbox: Sandbox, ms: number): void {
  sandbox.addFault({ kind: 'latency', ms, method: 'sendMessage' });
}

/**
 * Holds the end of a program to what every one is promised: exit code and bound, the receipt as the very last line,
 * each update answered once and none left with Telegram.
 */
export function expectGoodEnd(
  bots: SandboxBot | readonly SandboxBot[],
  daemon: Daemon,
  exit: Exit & { readonly tookMs: number },
  expected: Partial<Stopped> = {},
): LogLine {
  const receipt = expectStopped(daemon, exit, { reason: /^SIG(TERM|INT)$/, ...expected });
  expect(daemon.output.trimEnd().split('\n').at(-1)).toContain('"event":"lifecycle.stopped"');
  expect(countsOf(receipt)).toMatchObject({ failed: 0, timedOut: 0, left: 0, mayRepeat: 0 });
  for (const bot of [bots].flat()) {
    expect(mishaps(bot)).toEqual({ lost: 0, twice: 0, outOfOrder: 0 });
    expect(bot.state().queued).toBe(0);
  }
  return receipt;
}

/** The lines of a file that a program wrote. */
export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}
