/** The demo with one host: a few people chat with the bot, whose log is shown, until somebody stops it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aborted } from '../../abort.js';
import { ExitCode } from '../../exit-code.js';
import { botKey } from '../../host/bot-key.js';
import type { Signals } from '../../host/signals.js';
import { countContents } from '../../inbox/store/contents.js';
import type { BotProcessState } from '../../sandbox/bot-process.js';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.js';
import { identityOfToken } from '../../telegraf/identity.js';
import { SandboxBotProcess } from '../sandbox-bot.js';
import { closingTable, seconds } from './closing-table.js';
import { daemonEnvironment, type Program } from './daemon.js';
import { converse, people } from './people.js';

export interface OneHostOptions {
  /** Default: until a signal arrives. */
  readonly forMs: number | undefined;
  /** Whether the demo goes on when somebody stops or kills the bot on the page of the sandbox. */
  readonly withPage: boolean;
}

/** With people at the page, who also want to be heard, those of the demo write so many times less often. */
const SLOWER_WITH_PAGE = 4;

/**
 * Runs until a signal arrives, the time is over, or nobody reads the output. Resolves to 0 if no message was lost nor, unless
 * somebody may have killed the bot, answered twice.
 */
export async function oneHost(program: Program, signals: Signals, options: OneHostOptions): Promise<number> {
  const { process } = program;
  const { stdout } = process;
  const { forMs, withPage } = options;
  const sandbox = await startSandbox();
  const stateDir = await mkdtemp(join(tmpdir(), 'lastcall-demo-'));
  try {
    stdout.write(introduction(sandbox, options));
    const bot = runBot(sandbox, stateDir, program);
    const gone = new AbortController();
    bot.onChange(() => {
      if (bot.state.status === 'ended' && !withPage) gone.abort();
    });
    const noReader = new AbortController();
    stdout.once('error', () => noReader.abort());
    const timeIsUp = forMs === undefined ? [] : [AbortSignal.timeout(forMs)];
    const end = AbortSignal.any([signals.stopped, gone.signal, noReader.signal, ...timeIsUp]);
    const answered = (name: string, text: string, answer = '') =>
      void stdout.write(chatLine(name, `${text}  →  ${answer}`, process));
    const pace = withPage ? SLOWER_WITH_PAGE : 1;
    const chats = Promise.all(
      people.map(({ pauseMs, ...person }) =>
        converse(sandbox, { ...person, pauseMs: pauseMs * pace }, { end, gone: gone.signal, answered }),
      ),
    );
    await aborted(end);

    const stoppedAt = performance.now();
    signals.subscribe({ stop() {}, hasten: (signal) => bot.signal(signal) });
    // Ctrl-C in a terminal also reaches the daemon, which counts the same signal twice within 500 ms as one.
    await bot.close('SIGINT');
    gone.abort();
    const exitCode = exitCodeOf(bot.state.end);
    const stopMs = performance.now() - stoppedAt;
    await chats;
    const inbox = join(stateDir, botKey(identityOfToken(sandbox.token, sandbox.apiRoot)), 'inbox');
    const { updates } = await countContents(inbox);
    const { text, lost, repeated } = summary(sandbox, exitCode, stopMs, updates);
    stdout.write(text);
    const good = lost === 0 && (withPage || (repeated === 0 && exitCode === ExitCode.clean));
    return good ? ExitCode.clean : exitCode || ExitCode.cut;
  } finally {
    await sandbox.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

/**
 * Returns the exit code of the bot. Where the stop came before the process heard signals, SIGINT itself has ended it, cleanly:
 * it had done nothing yet.
 */
export function exitCodeOf(end: BotProcessState['end']): number {
  if (end?.signal === 'SIGINT') return ExitCode.clean;
  return end?.code ?? ExitCode.fault;
}

/** Runs the bot beside the sandbox, whose page shows its log, and can stop, kill and restart it. */
function runBot(sandbox: Sandbox, stateDir: string, { botFile, process }: Program): SandboxBotProcess {
  const { env, stdout, stderr } = process;
  const bot = new SandboxBotProcess({
    sandbox,
    command: [botFile],
    stateDir,
    env: { ...daemonEnvironment(sandbox, stateDir, env), LASTCALL_LOG_FORMAT: 'pretty' },
    stdout,
    stderr,
  });
  sandbox.attachProcess(bot);
  return bot;
}

/** Formats a line in the columns of the daemon's log, with the person's name in place of the level. */
function chatLine(name: string, text: string, { stdout, env }: NodeJS.Process): string {
  const now = new Date();
  const time = `${now.toTimeString().slice(0, 8)}.${`${now.getMilliseconds()}`.padStart(3, '0')}`;
  const label = `${name}:`.padEnd(6);
  const colour = stdout.isTTY && !env['NO_COLOR'];
  return `${time} ${colour ? `\u001b[36m${label}\u001b[39m` : label} ${text}\n`;
}

function introduction({ apiRoot }: Sandbox, { forMs, withPage }: OneHostOptions): string {
  const names = people.map(({ name }) => name).join(', ');
  const end = forMs === undefined ? 'Press Ctrl-C to stop it.' : `It stops after ${forMs / 1000} s.`;
  const inBrowser = withPage
    ? 'Join them, break the network and kill the bot, in a browser'
    : 'Watch them in a browser';
  return `A local Bot API listens at ${apiRoot}; ${names} chat with the example bot. ${inBrowser}:\n  ${apiRoot}/\n${end}\n\n`;
}

function summary(
  sandbox: Sandbox,
  exitCode: number,
  stopMs: number,
  kept: number,
): { readonly text: string; readonly lost: number; readonly repeated: number } {
  const { said, answered, answeredTwice } = sandbox.report();
  const { queued } = sandbox.state();
  const left = queued + kept;
  const lost = said - answered - left;
  return {
    text: closingTable([
      ['messages sent', said],
      ['answered', answered],
      ['kept for the next run', left],
      ['lost', lost],
      ['answered twice', answeredTwice],
      ['the stop took', seconds(stopMs)],
      ['exit code', exitCode],
    ]),
    lost,
    repeated: answeredTwice,
  };
}
