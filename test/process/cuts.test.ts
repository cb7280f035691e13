/** Updates whose handlers are cut by stops: each stop in a row counts, as each death does, and not for ever. */
import { describe, expect, it, jest } from '@jest/globals';
import { type Daemon, fixture, spawnDaemon } from '../support/daemon.js';
import { countsOf, openSandbox, runBot, runProgram, type TestBed } from '../support/delivery.js';
import { idle, told } from '../support/stopping.js';

jest.setTimeout(60_000);

const program = fixture('bots', 'waits-for-restart.js');
const env = { STOP_TIMEOUT: '900ms' };

/** The updates in the inbox, as `lastcall inbox --json` shows them. */
async function listed({ token, apiRoot, stateDir }: TestBed): Promise<readonly object[]> {
  const env = { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, STATE_DIR: stateDir };
  await using command = spawnDaemon({ args: ['inbox', '--json'], env });
  await command.end();
  return JSON.parse(command.output).updates;
}

const textsIn = (bed: TestBed, chat: number) =>
  bed.exchanges(chat).map(({ answers }) => answers.map(({ text }) => text));

/** Runs a bot until its handler is at work, and ends it by the signals, one after the other. */
async function end(daemon: Daemon, ...signals: readonly NodeJS.Signals[]): Promise<void> {
  await daemon.prints(/^restart me$/m);
  for (const signal of signals) {
    daemon.kill(signal);
    if (signal !== 'SIGKILL') await daemon.waitFor('drain.started');
  }
  await daemon.end();
}

describe('a handler that waits for the restart of its own process', () => {
  it('is cut three times at most; then its update is a dead letter, and its chat goes on', async () => {
    await using bed = await openSandbox();
    bed.say({ chat: 1, text: '/restart' });
    bed.say({ chat: 1, text: 'hello' });
    for (let restart = 1; restart <= 3; restart++) {
      await using daemon = runProgram(bed, program, { env });
      await end(daemon, 'SIGTERM');
      expect(daemon.receipt).toMatchObject({ exitCode: 1, counts: { left: 2 } });
    }
    await using daemon = runProgram(bed, program, { env });
    const updateId = bed.exchanges(1)[0]?.updateId;
    expect(await daemon.waitFor('inbox.dead')).toMatchObject({
      ...{ level: 'error', updateId, why: 'cut', attempts: 3, deaths: 0, cuts: 3 },
      msg: `Gave up update ${updateId} (message) after 3 attempts: 3 stops in a row interrupted its handler, which may have waited for them`,
    });
    await bed.waitFor(() => bed.callCount('sendMessage') === 4);
    expect(textsIn(bed, 1).flat()).toEqual(['restarting', 'restarting', 'restarting', 'hello']);
    expect(await listed(bed)).toMatchObject([{ updateId, state: 'dead', why: 'cut', attempts: 3 }]);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(countsOf(daemon.receipt)).toMatchObject({ recovered: 2, handled: 1, dropped: 1 });
  });

  it('is given up after deaths and cuts together', async () => {
    await using bed = await openSandbox();
    bed.say({ chat: 1, text: '/restart' });
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
      await using daemon = runProgram(bed, program, { env });
      await end(daemon, signal);
    }
    await using daemon = runProgram(bed, program, { env });
    expect(await daemon.waitFor('inbox.dead')).toMatchObject({ why: 'cut', deaths: 1, cuts: 2 });
  });

  it('is tried for ever where that is asked for', async () => {
    await using bed = await openSandbox();
    bed.say({ chat: 1, text: '/restart' });
    for (let restart = 1; restart <= 4; restart++) {
      await using daemon = runProgram(bed, program, { env: { ...env, MAX_ATTEMPTS: '0' } });
      await end(daemon, 'SIGTERM');
    }
    expect(await listed(bed)).toMatchObject([{ state: 'waiting', attempts: 4, deaths: 0, cuts: 4 }]);
  });
});

describe('a kill amid the drain', () => {
  it('of a stop counts as a cut', async () => {
    await using bed = await openSandbox();
    bed.say({ chat: 1, text: '/restart' });
    {
      await using daemon = runProgram(bed, program, { env: { STOP_TIMEOUT: '30s' } });
      await end(daemon, 'SIGTERM', 'SIGKILL');
    }
    expect(await listed(bed)).toMatchObject([{ attempts: 1, deaths: 0, cuts: 1 }]);
    await using next = runProgram(bed, program, { env });
    expect(await next.waitFor('inbox.recovered')).toMatchObject({ updates: 1, begun: 1, died: 0 });
  });

  it('of a fault counts as a death', async () => {
    await using bed = await openSandbox();
    bed.say({ chat: 1, text: 'throw' });
    const env = { STOP_TIMEOUT: '30s', HANDLER_MS: '20000' };
    {
      await using daemon = runBot(bed, 'faulty', { env });
      await daemon.waitFor('drain.started');
      expect(await daemon.stop('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
    }
    expect(await listed(bed)).toMatchObject([{ attempts: 1, deaths: 1, cuts: 0 }]);
    await using next = runBot(bed, 'echo');
    expect(await next.waitFor('inbox.recovered')).toMatchObject({ updates: 1, begun: 1, died: 1 });
  });
});

describe('Ctrl-C in a terminal, which also reaches the child that a handler waits for,', () => {
  it('leaves the update whose handler fails of that to the next run', async () => {
    await using bed = await openSandbox();
    {
      await using daemon = runProgram(bed, program, { detached: true, env: { STOP_TIMEOUT: '15s' } });
      await idle(bed);
      bed.say({ chat: 1, text: '/convert' });
      await daemon.prints(/^converting$/m);
      process.kill(-(daemon.child.pid ?? Number.NaN), 'SIGINT');
      expect(await daemon.end()).toMatchObject({ code: 0 });
      expect(told(daemon, 'handler.put-back')).toMatchObject([{ failure: 'stopping' }]);
      expect(countsOf(daemon.receipt)).toMatchObject({ failed: 0, left: 1, mayRepeat: 1 });
    }
    await using next = runProgram(bed, program);
    await bed.waitFor(() => bed.exchanges(1)[0]?.answers.length === 1);
    expect(textsIn(bed, 1)).toEqual([['converted']]);
    expect(await next.stop()).toMatchObject({ code: 0 });
    expect(countsOf(next.receipt)).toMatchObject({ recovered: 1, handled: 1 });
  });
});
