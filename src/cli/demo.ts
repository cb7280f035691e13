/** `lastcall demo`: the daemon as a real child process on a local Bot API, a few people who chat with it, and a stop. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { duration } from '../config/kinds.js';
import { invalid } from '../config/source.js';
import { ExitCode } from '../exit-code.js';
import type { Conversation } from '../sandbox/chats.js';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.js';
import type { CommandContext } from './command.js';

const mainFile = fileURLToPath(new URL('../main.js', import.meta.url));

const people: readonly Conversation[] = [
  { chat: 101, from: 'Ada', pauseMs: 900, say: ['/start', 'Can you count?', 'And remember?', 'Good night!'] },
  { chat: 102, from: 'Grace', pauseMs: 700, say: ['/start', '/help', 'There is a moth in the relay.'] },
  { chat: 103, from: 'Edsger', pauseMs: 300, say: ['/slow', 'Is that harmful?'] },
];

/** Chats until a signal comes or `--for` has passed; resolves to 0 if nothing was lost and nothing answered twice. */
export async function demo({ args, signals, process }: CommandContext): Promise<number> {
  const forMs = howLong(args);
  const sandbox = await startSandbox();
  try {
    process.stdout.write(introduction(sandbox, forMs));
    const daemon = spawnDaemon(sandbox, process);
    const gone = new AbortController();
    const exited = new Promise<number>((resolve) => {
      daemon.once('close', (code) => {
        gone.abort();
        resolve(code ?? ExitCode.fault);
      });
    });
    const timeIsUp = forMs === undefined ? [] : [AbortSignal.timeout(forMs)];
    await chat(sandbox, AbortSignal.any([signals.stopped, gone.signal, ...timeIsUp]));

    const stoppedAt = performance.now();
    // A Ctrl-C of the terminal has reached the daemon too, which takes the same signal twice at once for one.
    daemon.kill('SIGINT');
    signals.subscribe({ stop() {}, hasten: (signal) => void daemon.kill(signal) });
    const exitCode = await exited;
    const { text, good } = whatHappened(sandbox, exitCode, performance.now() - stoppedAt);
    process.stdout.write(text);
    return good ? ExitCode.clean : ExitCode.cut;
  } finally {
    await sandbox.close();
  }
}

/** @throws LastcallError CONFIG_INVALID */
function howLong(args: readonly string[]): number | undefined {
  const given = parseArguments(args, { options: { for: 'value' } });
  refuseBadArguments(given);
  const text = given.options.get('for');
  if (text === undefined) return undefined;
  const parsed = duration({ leastMs: 1 }).parse(text, { cwd: '/' });
  if ('value' in parsed) return parsed.value;
  throw invalid([{ culprit: '--for', sentence: `--for is '${text}': ${parsed.problem}` }]);
}

/** The very daemon that `npm start` runs, with the sandbox in Telegram's place and nothing of `.env`. */
function spawnDaemon(sandbox: Sandbox, { env, execPath, stdout }: NodeJS.Process): ChildProcess {
  return spawn(execPath, [mainFile, 'run', '--log-format', 'pretty'], {
    env: {
      ...env,
      BOT_TOKEN: sandbox.token,
      BOT_TOKEN_FILE: '',
      BOT_MODULE: '',
      TELEGRAM_API_ROOT: sandbox.apiRoot,
      ...(!stdout.isTTY && { NO_COLOR: '1' }),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** All of them, again and again, until the signal aborts. */
async function chat(sandbox: Sandbox, end: AbortSignal): Promise<void> {
  await Promise.all(
    people.map(async (person) => {
      while (!end.aborted) await sandbox.converse(person, end);
    }),
  );
}

function introduction({ apiRoot }: Sandbox, forMs: number | undefined): string {
  const names = people.map(({ from }) => from).join(', ');
  const end = forMs === undefined ? 'Press Ctrl-C to stop it.' : `It stops after ${forMs / 1000} s.`;
  return `A local Bot API listens at ${apiRoot}; ${names} chat with the example bot. ${end}\n\n`;
}

function whatHappened(
  sandbox: Sandbox,
  exitCode: number,
  stopMs: number,
): { readonly text: string; readonly good: boolean } {
  const { said, answered, answeredTwice } = sandbox.report();
  const { queued } = sandbox.state();
  const lost = said - answered - queued;
  const figures: readonly (readonly [string, number | string])[] = [
    ['messages sent', said],
    ['answered', answered],
    ['kept for the next run', queued],
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
