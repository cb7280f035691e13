/** One poller a bot on a host: real processes that want the same one. */
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { botKey, formerKey } from '../../src/host/bot-key.js';
import { systemDisk } from '../../src/inbox/log/disk.js';
import { Ledger } from '../../src/inbox/store/ledger.js';
import { readLog } from '../../src/inbox/store/read-log.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { identityOfToken } from '../../src/telegraf/identity.js';
import { type Daemon, fixture, type LogLine, mainFile, median, spawnDaemon } from '../support/daemon.js';
import { allAnswered, mishaps, noMishaps, openSandbox, runBot, runProgram } from '../support/delivery.js';
import { Folder } from '../support/folder.js';
import { expectStoppedAtOnce, idle, startBot, steps, told } from '../support/stopping.js';
import { newToken } from '../support/token.js';

const BOUND_MS = 1_000;
const standingBy = (daemon: Daemon): Promise<LogLine> => daemon.waitFor('lock.waiting');

/** Resolves once all is answered, and the inbox on disk says so, so that not even a kill repeats any of it. */
async function done(sandbox: Sandbox, stateDir: string): Promise<void> {
  await allAnswered(sandbox);
  const key = botKey(identityOfToken(sandbox.token, sandbox.apiRoot));
  while (unsettled(join(stateDir, key, 'inbox')) > 0) await sleep(1);
}

function unsettled(inbox: string): number {
  const ledger = new Ledger();
  readLog(systemDisk, inbox, ledger);
  return ledger.size;
}

jest.setTimeout(30_000);

describe('a bot that another process on the host runs', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'is taken over within a second of its %s, and never polled by two',
    async (signal) => {
      await using sandbox = await openSandbox();
      using folder = new Folder();
      const env = { STATE_DIR: folder.path };
      const gaps: number[] = [];
      let current = startBot(sandbox, 'lone.mjs', { env });
      await idle(sandbox);
      for (let handover = 1; handover <= 5; handover++) {
        const next = startBot(sandbox, 'lone.mjs', { env });
        expect(await standingBy(next)).toMatchObject({ level: 'info', holder: current.child.pid });
        expect(next.events()).not.toContain('test.set-up');
        sandbox.say({ text: `before ${handover} {n}`, count: 3 });
        await done(sandbox, folder.path);

        const polls = sandbox.callCount('getUpdates');
        const { code, at } = await current.stop(signal);
        expect(code).toBe(signal === 'SIGTERM' ? 0 : null);
        await sandbox.waitFor(() => sandbox.callCount('getUpdates') > polls);
        await next.waitFor('poll.started');
        gaps.push(performance.now() - at);
        expect(told(next, 'lock.acquired')).toMatchObject([{ waitedMs: expect.any(Number) }]);
        expect(told(next, 'previous-run.killed')).toHaveLength(signal === 'SIGKILL' ? 1 : 0);

        await idle(sandbox);
        sandbox.say({ text: `after ${handover} {n}`, count: 3 });
        await done(sandbox, folder.path);
        await current[Symbol.asyncDispose]();
        current = next;
      }
      await current.stop();
      await current[Symbol.asyncDispose]();
      expect(median(gaps)).toBeLessThan(BOUND_MS);
      expect(sandbox.state().conflicts).toBe(0);
      expect(mishaps(sandbox)).toEqual(noMishaps);
    },
  );

  it('is left to it, with exit code 75, where that is asked for', async () => {
    await using sandbox = await openSandbox();
    await using first = startBot(sandbox, 'lone.mjs');
    await idle(sandbox);
    await using second = startBot(sandbox, 'lone.mjs', { env: { ON_LOCKED: 'exit' } });
    const { code } = await second.end();
    expect(code).toBe(75);
    expect(second.receipt).toMatchObject({ exitCode: 75, err: { code: 'LOCKED', culprit: /^bot \d+$/ } });
    expect(second.events()).not.toContain('test.set-up');
    expect(steps(second.receipt)).toEqual(['start bot: done', 'start lock: failed', 'stop bot: done']);
    expect((await first.stop()).code).toBe(0);
    expect(sandbox.state().conflicts).toBe(0);
  });

  it('is no reason to hang about when the one that stands by is told to stop', async () => {
    await using sandbox = await openSandbox();
    await using first = startBot(sandbox, 'lone.mjs');
    await idle(sandbox);
    await using second = startBot(sandbox, 'lone.mjs');
    await standingBy(second);
    const receipt = expectStoppedAtOnce(second, await second.stop(), { reason: 'SIGTERM' });
    expect(steps(receipt)).toEqual(['start bot: done', 'start lock: called-off', 'stop bot: done']);
    expect(second.events()).not.toContain('test.set-up');
    sandbox.say('still there?');
    await allAnswered(sandbox);
    expect((await first.stop()).code).toBe(0);
    expect(told(first, 'test.last-word')).toHaveLength(1);
  });

  it('is not waited for as long as START_TIMEOUT says: standing by has no end', async () => {
    await using sandbox = await openSandbox();
    await using first = startBot(sandbox, 'lone.mjs');
    await idle(sandbox);
    await using second = startBot(sandbox, 'lone.mjs', { env: { START_TIMEOUT: '300ms' } });
    const { limitMs } = await second.waitFor(
      ({ event, hook }) => event === 'hook.starting' && hook === 'lock',
    );
    expect(limitMs).toBeNull();
    await standingBy(second);
    await sleep(400);
    await first.stop();
    await second.waitFor('lock.acquired');
    await idle(sandbox);
    expect((await second.stop()).code).toBe(0);
  });

  it('has its hooks and its last word before the next process has anything of it', async () => {
    await using sandbox = await openSandbox();
    await using first = startBot(sandbox, 'hooks.mjs', { env: { HOOK_STOP_MS: '700' } });
    await idle(sandbox);
    await using second = startBot(sandbox, 'lone.mjs');
    await standingBy(second);
    first.kill('SIGTERM');
    await first.waitFor(({ event, hook }) => event === 'hook.stopped' && hook === 'first');
    expect(second.events()).not.toContain('lock.acquired');
    await second.waitFor('test.set-up');
    await first.exited;
    const stopped = Date.parse(String(told(first, 'hook.stopped').at(-1)?.['time']));
    const acquired = Date.parse(String(told(second, 'lock.acquired')[0]?.['time']));
    expect(acquired).toBeGreaterThanOrEqual(stopped);
    await second.waitFor('lock.acquired');
    await idle(sandbox);
    expect((await second.stop()).code).toBe(0);
  });

  it('may be run beside another bot', async () => {
    await using sandbox = await openSandbox();
    const other = sandbox.bot(newToken());
    await using one = startBot(sandbox, 'lone.mjs');
    await using two = startBot(sandbox, 'lone.mjs', { bot: other });
    for (const daemon of [one, two]) await daemon.waitFor('poll.started');
    for (const daemon of [one, two]) expect((await daemon.stop()).code).toBe(0);
  });
});

describe('a bot whose server has another spelling in the next run', () => {
  it('has one lock and one inbox: what waits is handled', async () => {
    await using sandbox = await openSandbox();
    sandbox.say({ text: 'm {n}', chat: 1, count: 3 });
    await using first = runBot(sandbox, 'deaf', { env: { STOP_TIMEOUT: '400ms' } });
    await first.waitFor('poll.started');
    const TELEGRAM_API_ROOT = sandbox.apiRoot.replace('127.0.0.1', 'localhost');
    await using second = runBot(sandbox, 'echo', { env: { TELEGRAM_API_ROOT } });
    await standingBy(second);
    await idle(sandbox);
    await first.stop();
    await allAnswered(sandbox);
    expect((await second.stop()).code).toBe(0);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(sandbox.state().conflicts).toBe(0);
  });

  it('is given what a former version has left under a name made of the server', async () => {
    await using sandbox = await openSandbox();
    sandbox.say({ text: 'm {n}', chat: 1, count: 3 });
    await using first = runBot(sandbox, 'deaf', { env: { STOP_TIMEOUT: '400ms' } });
    await first.waitFor('poll.started');
    await idle(sandbox);
    await first.stop();
    const path = join(sandbox.stateDir, `${sandbox.id}`);
    const from = join(sandbox.stateDir, formerKey(sandbox.id, 'https://api.telegram.org'));
    renameSync(path, from);
    // Former versions have kept no history.
    rmSync(join(from, 'history.jsonl'));
    await using second = runBot(sandbox, 'echo');
    expect(await second.waitFor('former-inbox.taken-over')).toMatchObject({ level: 'info', from, path });
    await allAnswered(sandbox);
    expect((await second.stop()).code).toBe(0);
    expect(readdirSync(sandbox.stateDir)).toEqual([`${sandbox.id}`]);
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });
});

describe('an unchanged program that runs already', () => {
  it('is loaded a second time, as under node, stands by from its launch on, and is taken over', async () => {
    await using sandbox = await openSandbox();
    await using first = runProgram(sandbox, fixture('bots', 'readme.js'));
    await idle(sandbox);
    await using second = runProgram(sandbox, fixture('bots', 'readme.js'));
    await standingBy(second);
    sandbox.say({ text: 'one {n}', count: 3 });
    await allAnswered(sandbox);
    expect((await first.stop('SIGINT')).code).toBe(0);
    await second.waitFor('lock.acquired');
    await idle(sandbox);
    sandbox.say({ text: 'two {n}', count: 3 });
    await allAnswered(sandbox);
    expect((await second.stop()).code).toBe(0);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(sandbox.state().conflicts).toBe(0);
  });

  it('and brings its own token, stands by from its launch on', async () => {
    await using sandbox = await openSandbox();
    const { apiRoot, token } = sandbox;
    const start = () =>
      spawnDaemon({
        args: ['run', fixture('bots', 'own-token.js')],
        env: { MY_BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot },
      });
    await using first = start();
    await idle(sandbox);
    await using second = start();
    await second.prints(/it has launched/);
    await standingBy(second);
    await using third = start();
    await standingBy(third);
    // One that stands by ends as the program itself would.
    const ended = await third.stop();
    expectStoppedAtOnce(third, ended, { reason: 'SIGTERM' });
    expect(third.output).toContain('it has stopped');

    await first.stop();
    await second.waitFor('lock.acquired');
    await idle(sandbox);
    sandbox.say('are you there?');
    await allAnswered(sandbox);
    expect((await second.stop()).code).toBe(0);
    expect(second.output).toContain('it has stopped');
    expect(sandbox.state().conflicts).toBe(0);
    expect(sandbox.callCount('getMe')).toBe(2);
  });

  it('and brings its own token, ends with 75 where that is asked for', async () => {
    await using sandbox = await openSandbox();
    const env = { MY_BOT_TOKEN: sandbox.token, TELEGRAM_API_ROOT: sandbox.apiRoot };
    const args = ['run', fixture('bots', 'own-token.js')];
    await using first = spawnDaemon({ args, env });
    await idle(sandbox);
    await using second = spawnDaemon({ args, env: { ...env, ON_LOCKED: 'exit' } });
    expect((await second.end()).code).toBe(75);
    expect(second.receipt).toMatchObject({ reasonKind: 'fatal', err: { code: 'LOCKED' } });
    expect((await first.stop()).code).toBe(0);
  });

  it('with several bots, is taken over with all of them', async () => {
    await using sandbox = await openSandbox();
    const other = sandbox.bot(newToken());
    const env = { SECOND_BOT_TOKEN: other.token };
    const start = () => runProgram(sandbox, fixture('bots', 'two-bots.js'), { env });
    await using first = start();
    await Promise.all([idle(sandbox), idle(sandbox, other)]);
    await using second = start();
    await standingBy(second);
    await first.stop();
    await sandbox.waitFor(() => sandbox.state().waitingPolls === 1 && other.state().waitingPolls === 1);
    expect((await second.stop()).code).toBe(0);
    expect([sandbox.state().conflicts, other.state().conflicts]).toEqual([0, 0]);
  });

  it('does not stand by for itself: the same bot twice in one process is refused', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runProgram(sandbox, fixture('bots', 'same-bot-twice.js'));
    expect((await daemon.end()).code).toBe(75);
    expect(daemon.receipt).toMatchObject({ err: { code: 'BOT_ALREADY_POLLED' } });
  });
});

describe('the workers of a cluster', () => {
  it('run the bot one at a time', async () => {
    await using sandbox = await openSandbox();
    await using cluster = spawnDaemon({
      file: fixture('drivers', 'cluster.mjs'),
      args: [mainFile, '3', 'run', fixture('modules', 'lone.mjs')],
      env: { BOT_TOKEN: sandbox.token, TELEGRAM_API_ROOT: sandbox.apiRoot },
      detached: true,
    });
    await cluster.waitFor('poll.started');
    await cluster.waitFor(() => told(cluster, 'lock.waiting').length === 2);
    const [first] = told(cluster, 'test.set-up');
    process.kill(Number(first?.['pid']), 'SIGTERM');
    await cluster.waitFor(() => told(cluster, 'test.set-up').length === 2);
    await idle(sandbox);
    expect(sandbox.state().conflicts).toBe(0);
    cluster.kill('SIGTERM');
    await cluster.waitFor(() => told(cluster, 'test.worker-exit').length === 3);
    expect(told(cluster, 'test.worker-exit').map(({ code }) => code)).toEqual([0, 0, 0]);
    await cluster.exited;
  });
});

describe('an embedding program', () => {
  it('may run a bot again once the outcome of its last run is there, and not before', async () => {
    await using sandbox = await openSandbox();
    await using daemon = spawnDaemon({
      file: fixture('drivers', 'embedded-runs.mjs'),
      args: [],
      env: { BOT_TOKEN: sandbox.token, TELEGRAM_API_ROOT: sandbox.apiRoot },
    });
    expect(await daemon.waitFor('test.outcomes')).toMatchObject({
      exitCodes: [0, 75, 0],
      why: 'BOT_ALREADY_POLLED',
    });
    // No lock keeps it alive.
    expect((await daemon.end()).code).toBe(0);
  });
});
