/**
 * `lastcall demo`: runs the daemon as a child process against a local Bot API, simulates a few people who chat with it,
 * and stops it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { aborted } from '../abort.js';
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { invalid } from '../config/problem.js';
import { duration } from '../config/value-types.js';
import { ExitCode } from '../exit-code.js';
import { botKey } from '../host/bot-key.js';
import { countContents } from '../inbox/store/contents.js';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.js';
import { identityOfToken } from '../telegraf/identity.js';
import type { ProcessContext } from './command.js';
import { exampleBotFile } from './example-bot.js';
import { accepted, options } from './options.js';

const mainFile = fileURLToPath(new URL('../main.js', import.meta.url));

interface Person {
  readonly name: string;
  readonly chat: number;
  /** The time between an answer and the next message. */
  readonly pauseMs: number;
  readonly messages: readonly string[];
}

const people: readonly Person[] = [
  {
    name: 'Ada',
    chat: 101,
    pauseMs: 900,
    messages: ['/start', 'Can you count?', 'And remember?', 'Good night!'],
  },
  { name: 'Grace', chat: 102, pauseMs: 700, messages: ['/start', '/help', 'There is a moth in the relay.'] },
  { name: 'Alan', chat: 103, pauseMs: 300, messages: ['/slow', 'Can machines think?'] },
];

/**
 * Runs until a signal arrives, the time of `--for` is over, or nobody reads the output. Resolves to 0 if no message was
 * lost or answered twice.
 */
export async function demo({ args, signals, process }: ProcessContext): Promise<number> {
  const { stdout } = process;
  const forMs = parseDuration(args);
  const sandbox = await startSandbox();
  const stateDir = await mkdtemp(join(tmpdir(), 'lastcall-demo-'));
  try {
    stdout.write(introduction(sandbox, forMs));
    const daemon = spawnDaemon(sandbox, stateDir, process);
    const gone = new AbortController();
    daemon.once('close', () => gone.abort());
    const noReader = new AbortController();
    stdout.once('error', () => noReader.abort());
    const timeIsUp = forMs === undefined ? [] : [AbortSignal.timeout(forMs)];
    const end = AbortSignal.any([signals.stopped, gone.signal, noReader.signal, ...timeIsUp]);
    const print = (name: string, text: string) => stdout.write(chatLine(name, text, process));
    const chats = Promise.all(
      people.map((person) => converse(sandbox, person, { end, gone: gone.signal, print })),
    );
    await aborted(end);

    const stoppedAt = performance.now();
    // Ctrl-C in a terminal also reaches the daemon, which counts the same signal twice within 500 ms as one.
    daemon.kill('SIGINT');
    signals.subscribe({ stop() {}, hasten: (signal) => void daemon.kill(signal) });
    await aborted(gone.signal);
    const exitCode = daemon.exitCode ?? ExitCode.fault;
    const stopMs = performance.now() - stoppedAt;
    await chats;
    const inbox = join(stateDir, botKey(identityOfToken(sandbox.token, sandbox.apiRoot)), 'inbox');
    const { updates } = await countContents(inbox);
    const { text, good } = summary(sandbox, exitCode, stopMs, updates);
    stdout.write(text);
    return good ? ExitCode.clean : exitCode || ExitCode.cut;
  } finally {
    await sandbox.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

/**
 * Returns the value of `--for` in milliseconds, or undefined without the option.
 *
 * @throws LastcallError CONFIG_INVALID
 */
function parseDuration(args: readonly string[]): number | undefined {
  const given = parseArguments(args, { options: accepted(options.demo) });
  refuseBadArguments(given);
  const text = given.options.get('for');
  if (text === undefined) return undefined;
  const parsed = duration({ leastMs: 1 }).parse(text, '/');
  if ('value' in parsed) return parsed.value;
  throw invalid([{ culprit: '--for', sentence: `--for is '${text}': ${parsed.problem}` }]);
}

/** Starts the daemon with the sandbox in place of Telegram, and without the token and the `.env` of a real bot. */
function spawnDaemon(
  sandbox: Sandbox,
  stateDir: string,
  { env, execPath, stdout }: NodeJS.Process,
): ChildProcess {
  return spawn(execPath, [mainFile, 'run', exampleBotFile, '--log-format', 'pretty'], {
    env: {
      ...env,
      LASTCALL_ENV_FILE: devNull,
      LASTCALL_BOT_TOKEN: sandbox.token,
      LASTCALL_BOT_TOKEN_FILE: '',
      LASTCALL_BOT_MODULE: '',
      LASTCALL_TELEGRAM_API_ROOT: sandbox.apiRoot,
      LASTCALL_STATE_DIR: stateDir,
      CREDENTIALS_DIRECTORY: '',
      ...(!stdout.isTTY && { NO_COLOR: '1' }),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

interface ChatOptions {
  /** Aborts when no more messages may be sent. While the daemon drains, it still answers earlier messages. */
  readonly end: AbortSignal;
  /** Aborts when the daemon has ended. */
  readonly gone: AbortSignal;
  print(name: string, text: string): void;
}

/** Sends the person's messages in a loop, waits for the answer to each, and prints both. */
async function converse(
  sandbox: Sandbox,
  { name, chat, pauseMs, messages }: Person,
  { end, gone, print }: ChatOptions,
): Promise<void> {
  try {
    for (let turn = 0; !end.aborted; turn++) {
      const text = messages[turn % messages.length] ?? '';
      const { answers } = await sandbox.ask({ chat, from: name, text }, gone);
      print(name, `${text}  →  ${answers[0]?.text}`);
      await sleep(pauseMs, undefined, { signal: end });
    }
  } catch (error) {
    if (!end.aborted) throw error;
  }
}

/** Formats a line in the columns of the daemon's log, with the person's name in place of the level. */
function chatLine(name: string, text: string, { stdout, env }: NodeJS.Process): string {
  const now = new Date();
  const time = `${now.toTimeString().slice(0, 8)}.${`${now.getMilliseconds()}`.padStart(3, '0')}`;
  const label = `${name}:`.padEnd(6);
  const colour = stdout.isTTY && !env['NO_COLOR'];
  return `${time} ${colour ? `\u001b[36m${label}\u001b[39m` : label} ${text}\n`;
}

function introduction({ apiRoot }: Sandbox, forMs: number | undefined): string {
  const names = people.map(({ name }) => name).join(', ');
  const end = forMs === undefined ? 'Press Ctrl-C to stop it.' : `It stops after ${forMs / 1000} s.`;
  return `A local Bot API listens at ${apiRoot}; ${names} chat with the example bot. ${end}\n\n`;
}

function summary(
  sandbox: Sandbox,
  exitCode: number,
  stopMs: number,
  kept: number,
): { readonly text: string; readonly good: boolean } {
  const { said, answered, answeredTwice } = sandbox.report();
  const { queued } = sandbox.state();
  const left = queued + kept;
  const lost = said - answered - left;
  const figures: readonly (readonly [string, number | string])[] = [
    ['messages sent', said],
    ['answered', answered],
    ['kept for the next run', left],
    ['lost', lost],
    ['answered twice', answeredTwice],
    ['the stop took', `${(stopMs / 1000).toFixed(2)} s`],
    ['exit code', exitCode],
  ];
  const lines = figures.map(([name, figure]) => `  ${name.padEnd(22)}${String(figure).padStart(8)}`);
  return {
    text: `\nWhat happened:\n${lines.join('\n')}\n`,
    good: lost === 0 && answeredTwice === 0 && exitCode === ExitCode.clean,
  };
}
