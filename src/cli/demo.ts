/** `lastcall demo`: the daemon as a real child process on a local Bot API, a few people who chat with it, and a stop. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { invalid } from '../config/problem.js';
import { duration } from '../config/value-types.js';
import { ExitCode } from '../exit-code.js';
import { botKey } from '../host/bot-key.js';
import { systemDisk } from '../inbox/log/disk.js';
import { Ledger } from '../inbox/store/ledger.js';
import { readLog } from '../inbox/store/read-log.js';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.js';
import { identityOfToken } from '../telegraf/identity.js';
import type { CommandContext } from './command.js';

const mainFile = fileURLToPath(new URL('../main.js', import.meta.url));

interface Person {
  readonly name: string;
  readonly chat: number;
  /** Between an answer and what is said next. */
  readonly pauseMs: number;
  readonly says: readonly string[];
}

const people: readonly Person[] = [
  {
    name: 'Ada',
    chat: 101,
    pauseMs: 900,
    says: ['/start', 'Can you count?', 'And remember?', 'Good night!'],
  },
  { name: 'Grace', chat: 102, pauseMs: 700, says: ['/start', '/help', 'There is a moth in the relay.'] },
  { name: 'Alan', chat: 103, pauseMs: 300, says: ['/slow', 'Can machines think?'] },
];

/**
 * Chats until a signal comes, `--for` has passed, or nobody watches any more; resolves to 0 if nothing was lost and
 * nothing answered twice.
 */
export async function demo({ args, signals, process }: CommandContext): Promise<number> {
  const { stdout } = process;
  const forMs = howLong(args);
  const sandbox = await startSandbox();
  const stateDir = await mkdtemp(join(tmpdir(), 'lastcall-demo-'));
  try {
    stdout.write(introduction(sandbox, forMs));
    const daemon = spawnDaemon(sandbox, stateDir, process);
    const gone = new AbortController();
    const exited = new Promise<number>((resolve) => {
      daemon.once('close', (code) => {
        gone.abort();
        resolve(code ?? ExitCode.fault);
      });
    });
    const unwatched = new AbortController();
    stdout.once('error', () => unwatched.abort());
    const timeIsUp = forMs === undefined ? [] : [AbortSignal.timeout(forMs)];
    const end = AbortSignal.any([signals.stopped, gone.signal, unwatched.signal, ...timeIsUp]);
    const tell = (name: string, text: string) => stdout.write(chatLine(name, text, process));
    const chat = Promise.all(people.map((person) => talk(sandbox, person, { end, gone: gone.signal, tell })));
    if (!end.aborted) await once(end, 'abort');

    const stoppedAt = performance.now();
    // A Ctrl-C of the terminal has reached the daemon too, which takes the same signal twice at once for one.
    daemon.kill('SIGINT');
    signals.subscribe({ stop() {}, hasten: (signal) => void daemon.kill(signal) });
    const exitCode = await exited;
    const stopMs = performance.now() - stoppedAt;
    await chat;
    const { text, good } = whatHappened(sandbox, exitCode, stopMs, keptIn(stateDir, sandbox));
    stdout.write(text);
    return good ? ExitCode.clean : exitCode || ExitCode.cut;
  } finally {
    await sandbox.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** @throws LastcallError CONFIG_INVALID */
function howLong(args: readonly string[]): number | undefined {
  const given = parseArguments(args, { options: { for: 'value' } });
  refuseBadArguments(given);
  const text = given.options.get('for');
  if (text === undefined) return undefined;
  const parsed = duration({ leastMs: 1 }).parse(text, '/');
  if ('value' in parsed) return parsed.value;
  throw invalid([{ culprit: '--for', sentence: `--for is '${text}': ${parsed.problem}` }]);
}

/** The very daemon that `npm start` runs, with the sandbox in Telegram's place and nothing of `.env`. */
function spawnDaemon(
  sandbox: Sandbox,
  stateDir: string,
  { env, execPath, stdout }: NodeJS.Process,
): ChildProcess {
  return spawn(execPath, [mainFile, 'run', '--log-format', 'pretty'], {
    env: {
      ...env,
      ENV_FILE: devNull,
      BOT_TOKEN: sandbox.token,
      BOT_TOKEN_FILE: '',
      CREDENTIALS_DIRECTORY: '',
      BOT_MODULE: '',
      TELEGRAM_API_ROOT: sandbox.apiRoot,
      STATE_DIR: stateDir,
      ...(!stdout.isTTY && { NO_COLOR: '1' }),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

interface Occasion {
  /** Nobody says anything new from then on; what was said is still answered, as long as the daemon drains. */
  readonly end: AbortSignal;
  /** The daemon has ended: nothing will be answered any more. */
  readonly gone: AbortSignal;
  tell(name: string, text: string): void;
}

/** Says all that the person says, again and again, and tells what was answered. */
async function talk(
  sandbox: Sandbox,
  { name, chat, pauseMs, says }: Person,
  { end, gone, tell }: Occasion,
): Promise<void> {
  try {
    for (let turn = 0; !end.aborted; turn++) {
      const text = says[turn % says.length] ?? '';
      const { answers } = await sandbox.ask({ chat, from: name, text }, gone);
      tell(name, `${text}  →  ${answers[0]?.text}`);
      await sleep(pauseMs, undefined, { signal: end });
    }
  } catch (error) {
    if (!end.aborted) throw error;
  }
}

/** In the columns of the log around it, with the name in the level's place. */
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

/** How many updates the daemon's inbox holds for the next run. */
function keptIn(stateDir: string, { token, apiRoot }: Sandbox): number {
  const ledger = new Ledger();
  readLog(systemDisk, join(stateDir, botKey(identityOfToken(token, apiRoot)), 'inbox'), ledger);
  return ledger.size;
}

function whatHappened(
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
