/** The demo with one host: a few people chat with the bot, whose log is shown, until somebody stops it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aborted } from '../../abort.js';
import { ExitCode } from '../../exit-code.js';
import { botKey } from '../../host/bot-key.js';
import type { Signals } from '../../host/signals.js';
import { countContents } from '../../inbox/store/contents.js';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.js';
import { identityOfToken } from '../../telegraf/identity.js';
import { closingTable, seconds } from './closing-table.js';
import { daemonEnvironment, type Program } from './daemon.js';
import { converse, people } from './people.js';

/**
 * Runs until a signal arrives, the time is over, or nobody reads the output. Resolves to 0 if no message was lost or answered
 * twice.
 */
export async function oneHost(
  program: Program,
  signals: Signals,
  forMs: number | undefined,
): Promise<number> {
  const { process } = program;
  const { stdout } = process;
  const sandbox = await startSandbox();
  const stateDir = await mkdtemp(join(tmpdir(), 'lastcall-demo-'));
  try {
    stdout.write(introduction(sandbox, forMs));
    const daemon = spawnDaemon(sandbox, stateDir, program);
    const gone = new AbortController();
    daemon.once('close', () => gone.abort());
    const noReader = new AbortController();
    stdout.once('error', () => noReader.abort());
    const timeIsUp = forMs === undefined ? [] : [AbortSignal.timeout(forMs)];
    const end = AbortSignal.any([signals.stopped, gone.signal, noReader.signal, ...timeIsUp]);
    const answered = (name: string, text: string, answer = '') =>
      void stdout.write(chatLine(name, `${text}  →  ${answer}`, process));
    const chats = Promise.all(
      people.map((person) => converse(sandbox, person, { end, gone: gone.signal, answered })),
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

function spawnDaemon(
  sandbox: Sandbox,
  stateDir: string,
  { mainFile, botFile, process }: Program,
): ChildProcess {
  const { env, execPath, stdout } = process;
  return spawn(execPath, [mainFile, 'run', botFile, '--log-format', 'pretty'], {
    env: { ...daemonEnvironment(sandbox, stateDir, env), ...(!stdout.isTTY && { NO_COLOR: '1' }) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
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
  return `A local Bot API listens at ${apiRoot}; ${names} chat with the example bot. Watch them in a browser:\n  ${apiRoot}/\n${end}\n\n`;
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
    good: lost === 0 && answeredTwice === 0 && exitCode === ExitCode.clean,
  };
}
