/** Programs that stop a bot and launch it again while they run: the process goes on, and no update is lost. */
import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';
import { type Daemon, fixture, spawnDaemon } from '../support/daemon.js';
import { countsOf } from '../support/delivery.js';
import { expectGoodEnd, launch, slowAnswers } from '../support/programs.js';
import { idle, told } from '../support/stopping.js';
import { newToken } from '../support/token.js';

jest.setTimeout(30_000);

const SECOND_TOKEN = newToken();

let sandbox: Sandbox;
let second: SandboxBot;
beforeEach(async () => {
  sandbox = await startSandbox();
  second = sandbox.bot(SECOND_TOKEN);
});
afterEach(() => sandbox.close());

const textsOf = async (answers: Promise<{ answers: readonly { text: string | undefined }[] }>) =>
  (await answers).answers.map(({ text }) => text);

/** The same program under plain Node. */
const plainNode = (name: string): Daemon =>
  spawnDaemon({
    file: fixture('bots', name),
    args: [],
    env: { BOT_TOKEN: sandbox.token, TELEGRAM_API_ROOT: sandbox.apiRoot },
  });

describe('a program that stops its bot and launches a new one with the same token', () => {
  it.each([
    ['under plain Node', () => plainNode('reloads.js')],
    ['under lastcall', () => launch(sandbox, 'reloads.js')],
  ])('answers before and after (%s)', async (_, start) => {
    await using daemon = start();
    await idle(sandbox);
    expect(await textsOf(sandbox.ask('one'))).toEqual(['version 1: one']);
    daemon.kill('SIGUSR2');
    await daemon.prints(/^version 1 has ended$/m);
    await idle(sandbox);
    expect(await textsOf(sandbox.ask('two'))).toEqual(['version 2: two']);
    expect(await daemon.stop()).toMatchObject({ code: 0, signal: null });
  });

  it('many times, once from a handler, and loses nothing of what comes meanwhile', async () => {
    await using daemon = launch(sandbox, 'reloads.js');
    await idle(sandbox);
    sandbox.say({ chat: 1, text: '/reload' });
    await daemon.prints(/^version 1 has ended$/m);
    for (let reload = 2; reload <= 10; reload++) {
      for (const text of ['quick', 'slow']) sandbox.say({ chat: 100 + reload, text });
      daemon.kill('SIGUSR2');
      await daemon.prints(new RegExp(`^version ${reload} has ended$`, 'm'));
    }
    await idle(sandbox);
    expect(await textsOf(sandbox.ask({ chat: 7, text: 'last' }))).toEqual(['version 11: last']);
    // The command itself is not answered.
    await sandbox.waitFor(() => sandbox.report().unanswered === 1);
    const exit = await daemon.stop();
    expect(exit).toMatchObject({ code: 0 });
    expect(countsOf(daemon.receipt)).toMatchObject({ handled: 20, left: 0, mayRepeat: 0 });
    expect(sandbox.report()).toMatchObject({ said: 20, unanswered: 1, answeredTwice: 0 });
    expect(sandbox.state()).toMatchObject({ queued: 0, conflicts: 0 });
    expect(told(daemon, 'bot.stopped')).toHaveLength(10);
    expect(told(daemon, 'previous-run.killed')).toEqual([]);
  });
});

describe('a handler that stops its own bot and waits for launching it again', () => {
  // Under plain Node, the command comes again and again, since the first polling never confirms it.
  it('does not keep it from being polled', async () => {
    await using daemon = launch(sandbox, 'reloads.js');
    await idle(sandbox);
    sandbox.say({ chat: 1, text: '/restart' });
    await daemon.prints(/^restarting$/m);
    expect(await textsOf(sandbox.ask({ chat: 2, text: 'hello' }))).toEqual(['version 1: hello']);
    expect(await daemon.stop()).toMatchObject({ code: 0, signal: null });
    expect(daemon.output.match(/^restarting$/gm)).toHaveLength(1);
  });
});

/** Runs the program with the panel, and returns what asks the panel. */
async function startPanel() {
  const daemon = launch(sandbox, 'admin-panel.js', { env: { SECOND_BOT_TOKEN: SECOND_TOKEN } });
  const [, port] = await daemon.prints(/^panel on (\d+)$/m);
  const ask = async (path: string): Promise<string> => {
    const asked = request({ port, path, method: 'POST', agent: false }).end();
    const [response] = await once(asked, 'response');
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return text;
  };
  await Promise.all([idle(sandbox), idle(sandbox, second)]);
  return { daemon, ask };
}

describe('a program that stops one of its bots', () => {
  it('goes on with the other, and may launch the first again', async () => {
    const { daemon, ask } = await startPanel();
    await using _ = daemon;
    sandbox.say('slow');
    await daemon.prints(/^bot 0 at work$/m);
    expect(await ask('/stop/0')).toBe('stop returned undefined, polling false');
    expect(await textsOf(second.ask('hello'))).toEqual(['bot 1: hello']);
    await daemon.prints(/^bot 0 has ended$/m);
    // Its handler has ended first.
    expect(sandbox.unanswered).toBe(0);
    await sandbox.waitFor(() => sandbox.state().waitingPolls === 0);
    sandbox.say('while it was stopped');
    await ask('/launch/0');
    expect(await textsOf(sandbox.ask('again'))).toEqual(['bot 0: again']);
    const receipt = expectGoodEnd([sandbox, second], daemon, await daemon.stop());
    expect(receipt['counts']).toMatchObject({ fetched: 4, handled: 4 });
    expect(told(daemon, 'bot.stopping')).toMatchObject([{ bot: sandbox.id, by: "bot.stop('the panel')" }]);
  });

  it('goes on without any, as long as it has something open, and says so', async () => {
    const { daemon, ask } = await startPanel();
    await using _ = daemon;
    await ask('/stop/0');
    await ask('/stop/1');
    expect(await daemon.waitFor('program.without-bot')).toMatchObject({
      level: 'warn',
      kinds: ['TCPServerWrap'],
    });
    await ask('/launch/1');
    expect(await textsOf(second.ask('hello'))).toEqual(['bot 1: hello']);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });

  it('gives back its lock: another process polls it', async () => {
    const { daemon, ask } = await startPanel();
    await using _ = daemon;
    await ask('/stop/0');
    await daemon.prints(/^bot 0 has ended$/m);
    await using other = launch(sandbox, 'readme.js');
    await idle(sandbox);
    expect(told(other, 'lock.waiting')).toEqual([]);
    // It waits for the other now, and its sibling does not.
    await ask('/launch/0');
    await daemon.waitFor('lock.waiting');
    expect(await textsOf(second.ask('hello'))).toEqual(['bot 1: hello']);
    await other.stop();
    expect(await textsOf(sandbox.ask('hello'))).toEqual(['bot 0: hello']);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});

describe('a program that stops its bot and exits right behind that', () => {
  it('has its handlers end first, and its exit code', async () => {
    slowAnswers(sandbox, 500);
    await using daemon = launch(sandbox, 'stops-and-exits.js');
    for (let chat = 1; chat <= 10; chat++) sandbox.say({ chat, text: 'hello' });
    await sandbox.waitFor(() => sandbox.callCount('sendMessage') === 10);
    daemon.kill('SIGUSR2');
    expectGoodEnd(sandbox, daemon, await daemon.stop(null), {
      code: 4,
      outcome: 'clean',
      reason: 'process.exit(4) was called',
    });
  });
});
