import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { takeAnswer, writeRequest } from '../../src/cli/inbox/request.js';
import { inbox } from '../../src/cli/inbox.js';
import { botKey, formerKey } from '../../src/host/bot-key.js';
import { seq } from '../../src/inbox/ids.js';
import { systemDisk } from '../../src/inbox/log/disk.js';
import { Requests } from '../../src/inbox/store/requests.js';
import { InboxView } from '../../src/inbox/store/view.js';
import { type CommandRunOptions, runCommand } from '../support/command-run.js';
import { Folder } from '../support/folder.js';
import { AtWork, type AtWorkOptions, newBot, treeOf, update, viewOptions } from '../support/inbox-folder.js';
import { newToken } from '../support/token.js';

jest.setTimeout(30_000);

const TOKEN = newToken('INBOX-TEST-TOKEN-NOT-SECRET-AT-ALL-12');
/** Only root may change the owner of files and become another user. */
const asRoot = (name: string, test: () => Promise<void>): void =>
  process.getuid?.() === 0 ? it(name, test) : it.skip(`${name} (needs root: not tested)`, test);
const STRANGER = 54_321;

let state: Folder;
let bot: string;
let runs: AtWork[];

beforeEach(() => {
  state = new Folder();
  bot = newBot();
  runs = [];
});
afterEach(async () => {
  for (const run of runs) await run.end();
  state[Symbol.dispose]();
});

async function begin(options: Partial<AtWorkOptions> = {}): Promise<AtWork> {
  const run = await AtWork.begin({ stateDir: state.path, bot, ...options });
  runs.push(run);
  return run;
}

async function end(run: AtWork, how: 'stop' | 'kill'): Promise<void> {
  runs.splice(runs.indexOf(run), 1);
  await run.end(how);
}

const folder = () => state.file(bot, 'inbox');
const requests = () => readdirSync(join(folder(), 'requests'));
/** Answers as a process that works with the inbox does. */
function answerAll(): void {
  const waiting = new Requests(systemDisk, folder());
  for (const { id, request } of waiting.waiting()) waiting.answer(id, { done: request.seqs, refused: [] });
}

async function run(args: readonly string[], { env = {}, ...options }: CommandRunOptions = {}) {
  const printed = await runCommand(inbox, args, {
    env: { STATE_DIR: state.path, ...env },
    cwd: state.path,
    ...options,
  });
  expect(printed.stdout + printed.stderr).not.toContain(TOKEN.split(':')[1]);
  return printed;
}

const refused = (code: string, message: string | RegExp) =>
  expect.objectContaining({ code, exitCode: 78, message: expect.stringMatching(message) });

describe('the bot', () => {
  it('is the only one with an inbox', async () => {
    await begin();
    // A bot without an inbox, and a folder that is not a bot's.
    mkdirSync(state.file('471200009-0123456789abcdef'));
    mkdirSync(state.file('notes', 'inbox'), { recursive: true });
    const { exitCode, stdout } = await run([]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      `0 running, 0 waiting, 0 dead in the inbox of bot ${bot}. In use by a process on this host.\n`,
    );
  });

  it('is that of the token in the settings, unless --bot names another', async () => {
    const botOfToken = botKey({ testEnv: false, botId: Number.parseInt(TOKEN, 10) });
    const env = { BOT_TOKEN: TOKEN };
    await begin();
    await begin({ bot: botOfToken });
    expect((await run(['list'], { env })).stdout).toContain(`of bot ${botOfToken}.`);
    expect((await run(['--bot', bot], { env })).stdout).toContain(`of bot ${bot}.`);
    expect((await run([`--bot=${botOfToken}`])).stdout).toContain(`of bot ${botOfToken}.`);
    await expect(run([], { env: { BOT_TOKEN: newToken() } })).rejects.toEqual(
      refused('INBOX_NOT_FOUND', /^there is no inbox of bot \d+ in \S+, only of \d+, \d+$/),
    );
  });

  it('is one of today’s rather than one of a former version with the same id, unless that is named', async () => {
    const former = formerKey(Number(bot), 'http://127.0.0.1:8081');
    await begin({ bot: former });
    for (const args of [[], ['--bot', bot], ['--bot', former]])
      expect((await run(args)).stdout).toContain(`of bot ${former}.`);
    await begin();
    for (const args of [[], ['--bot', bot]]) expect((await run(args)).stdout).toContain(`of bot ${bot}.`);
    expect((await run(['--bot', former])).stdout).toContain(`of bot ${former}.`);
  });

  it('is not that of the bot with the same id in the test environment', async () => {
    const inTest = botKey({ botId: Number(bot), testEnv: true });
    await begin({ bot: inTest });
    expect((await run(['--bot', inTest])).stdout).toContain(`of bot ${inTest}.`);
    await expect(run(['--bot', bot])).rejects.toEqual(
      refused('INBOX_NOT_FOUND', `there is no inbox of bot ${bot} in .*, only of ${inTest}$`),
    );
    const former = formerKey(Number(bot), 'http://127.0.0.1:8081');
    await begin({ bot: former });
    expect((await run(['--bot', bot])).stdout).toContain(`of bot ${former}.`);
  });

  it('must be given if there are several, which the error names', async () => {
    const other = newBot();
    await begin();
    await begin({ bot: other });
    for (const args of [[], ['show', '5'], ['retry', '--all']])
      await expect(run(args)).rejects.toEqual(
        refused('INBOX_AMBIGUOUS', `there are inboxes of 2 bots in .*: ${[bot, other].sort().join(', ')}$`),
      );
  });

  it.each([
    [[], '^there is no inbox in /'],
    [['--bot', '5'], '^there is no inbox of bot 5 in /.*, nor of any other$'],
    [['--state-dir', '/no/such/place'], '^there is no inbox in /no/such/place$'],
  ])('may be missing: %j', async (args, message) => {
    const before = treeOf(state.path);
    await expect(run(args)).rejects.toEqual(refused('INBOX_NOT_FOUND', message));
    expect(treeOf(state.path)).toEqual(before);
  });
});

describe('an invalid command line', () => {
  it.each([
    [['frob'], "'frob' is not an inbox command; expected one of list, show, retry, drop, export"],
    [['627819794'], "'627819794' is not an inbox command"],
    [['constructor'], "'constructor' is not an inbox command"],
    [[TOKEN], "'\\d+:\\*\\*\\*' is not an inbox command"],
    [['list', '5'], '`lastcall inbox list` takes no ids'],
    [['show'], '`lastcall inbox show` needs an update id$'],
    [['show', '1', '2'], '`lastcall inbox show` takes one id'],
    [['show', '1', '--all'], '`lastcall inbox show` does not take --all'],
    [['retry'], '`lastcall inbox retry` needs an update id or --all'],
    [['retry', '5', '--all'], '`lastcall inbox retry` takes ids or --all, not both'],
    [['retry', '--dead'], '`lastcall inbox retry` does not take --dead'],
    [['drop'], '`lastcall inbox drop` needs an update id or --dead'],
    [['retry', '5', '--why', 'failed'], '`lastcall inbox retry` takes ids or --why, not both'],
    [['retry', '--why', 'bored'], '--why must be one of failed, caught, timed-out, expired, died, cut, not '],
    [['drop', '--since', '2'], '--since must be a length of time such as 2h, or a time such as 2026-'],
    [['drop', '--since', '2026-13-45'], '--since must be a length of time'],
    [['drop', '--kind', 'A B'], '--kind must be a kind of update such as message'],
    [['list', '--kind', 'message'], '`lastcall inbox list` does not take --kind'],
    [['drop', '5x'], "'5x' is not an update id"],
    [['export', '--json'], '`lastcall inbox export` does not take --json'],
    [['--bot', '../x'], "--bot must be a bot id or the name of its folder, not '../x'"],
  ])('%j', async (args, message) => {
    await begin();
    await expect(run(args)).rejects.toEqual(refused('COMMAND_MISUSED', message));
  });

  it('is reported together with invalid settings', async () => {
    await expect(run(['--colour'], { env: { DURABILITY: 'many' } })).rejects.toEqual(
      refused('CONFIG_INVALID', /--colour is not a flag[\s\S]*DURABILITY is "many"/),
    );
  });
});

describe('lastcall inbox list', () => {
  it('shows running, waiting and dead updates without their contents', async () => {
    const worker = await begin();
    await worker.accept(update(101, 5), update(102, 5), update(103, -100_200), update(104, 7));
    await worker.fail(new TypeError('no such order'), 103, 104);
    await worker.handle(101);
    const { exitCode, stdout, stderr } = await run([]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const [first, blank, ...lines] = stdout.trimEnd().split('\n');
    expect([first, blank]).toEqual([
      `1 running, 1 waiting, 2 dead in the inbox of bot ${bot}. In use by a process on this host.`,
      '',
    ]);
    expect(lines.map((line) => line.split(/ {2,}/).filter((_, column) => column !== 4))).toEqual([
      ['STATE', 'UPDATE', 'KIND', 'CHAT', 'BEGUN', 'DIED', 'WHY'],
      ['running', '101', 'message', '5', '1', '0'],
      ['waiting', '102', 'message', '5', '0', '0'],
      ['dead', '103', 'message', '-100200', '1', 'failed: TypeError: no such order'],
      ['dead', '104', 'message', '7', '1', 'failed: TypeError: no such order'],
    ]);
    for (const line of lines.slice(1)) expect(line).toMatch(/ \d+(\.\d)? m?s /);
    expect(stdout).not.toMatch(/text \d/);
  });

  it('shows 20 updates of each state, the newest of the dead, and how to see all', async () => {
    const worker = await begin();
    const ids = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
    await worker.accept(...ids(1_000, 50).map((id) => update(id, id)));
    await worker.fail('no', ...ids(1_000, 25));
    const { stdout } = await run([]);
    expect(stdout).toMatch(/^0 running, 25 waiting, 25 dead /);
    const idsIn = (text: string, itsState: string) =>
      [...text.matchAll(new RegExp(`^${itsState} +(\\d+)`, 'gm'))].map(([, id]) => Number(id));
    expect(idsIn(stdout, 'waiting')).toEqual(ids(1_025, 20));
    expect(idsIn(stdout, 'dead')).toEqual(ids(1_005, 20));
    expect(stdout).toMatch(/\n10 more are not shown; `lastcall inbox list --all` shows them\n$/);

    const { stdout: all } = await run(['list', '--all']);
    expect(all).not.toContain('not shown');
    expect([...idsIn(all, 'waiting'), ...idsIn(all, 'dead')]).toEqual([...ids(1_025, 25), ...ids(1_000, 25)]);
    const { stdout: dead } = await run(['list', '--all', '--dead']);
    expect([idsIn(dead, 'waiting'), idsIn(dead, 'dead')]).toEqual([[], ids(1_000, 25)]);
  });

  it('prints all updates as JSON', async () => {
    const worker = await begin();
    await worker.accept(...Array.from({ length: 30 }, (_, index) => update(index + 1)));
    await worker.fail(new Error('no'), 1);
    await worker.handle(2);
    const { stdout } = await run(['--json']);
    const { updates, ...head } = JSON.parse(stdout);
    expect(head).toEqual({
      bot,
      folder: folder(),
      attended: true,
      counts: { running: 1, interrupted: 0, waiting: 28, dead: 1 },
    });
    expect(updates).toHaveLength(30);
    expect(updates[0]).toEqual({
      ...{ updateId: 2, kind: 'message', key: '1', state: 'running', attempts: 1, deaths: 0, seq: 2 },
      ...{ cuts: 0, nextTryAt: null },
      ...{ why: null, error: null, at: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    expect(updates[29]).toMatchObject({
      updateId: 1,
      state: 'dead',
      why: 'failed',
      deaths: null,
      cuts: null,
    });
    expect(stdout).not.toMatch(/text \d/);
  });

  it('shows when updates that were put back are tried again, and how often stops have cut others', async () => {
    const first = await begin();
    await first.accept(update(1), update(2, 2));
    await first.handle(2);
    await end(first, 'stop');
    const second = await begin();
    await second.putBack(90_000, 1);
    // Marks are written a few milliseconds later.
    let stdout = '';
    while (!stdout.includes('2 waiting')) ({ stdout } = await run([]));
    expect(stdout).toMatch(/^STATE .* BEGUN +DIED +CUT +WHY$/m);
    expect(stdout).toMatch(/^waiting +1 .* 2 +0 +0 +next try in 1 min (30|2\d) s$/m);
    expect(stdout).toMatch(/^waiting +2 .* 1 +0 +1$/m);
    const { updates } = JSON.parse((await run(['--json'])).stdout);
    expect(updates).toMatchObject([
      { updateId: 1, cuts: 0, nextTryAt: expect.stringMatching(/^\d{4}-.*Z$/) },
      { updateId: 2, cuts: 1, nextTryAt: null },
    ]);
  });

  it('shows interrupted updates of an inbox that is not in use', async () => {
    const worker = await begin();
    await worker.accept(update(1), update(2, 2));
    await worker.handle(1);
    await end(worker, 'kill');
    const { stdout } = await run([]);
    expect(stdout).toMatch(/^0 running, 1 interrupted, 1 waiting, 0 dead .*\. Not in use\.\n/);
    expect(stdout).toMatch(/^interrupted +1 +message +1 .* 1 +1$/m);
  });

  it('does not take a silent holder of the lock for the owner', async () => {
    const worker = await begin();
    await worker.accept(update(1));
    await worker.handle(1);
    // The state after the owner was killed and a process started that keeps its updates in memory.
    const before = Date.now() / 1_000 - 120;
    utimesSync(join(folder(), 'owner.json'), before, before);
    expect((await run([])).stdout).toMatch(/^0 running, 1 interrupted, .*Not in use\.$/m);
  });

  it('shows the last sign of life of an owner on another host', async () => {
    const worker = await begin({ place: 'elsewhere.test' });
    await worker.accept(update(1));
    await worker.handle(1);
    expect((await run([])).stdout).toMatch(
      /^1 running, .* In use by a process on elsewhere\.test, last seen <?[\d.]+ m?s ago; whether it still runs cannot be checked from here\.$/m,
    );
    const longAgo = Date.now() / 1_000 - 3_600;
    utimesSync(join(folder(), 'owner.json'), longAgo, longAgo);
    expect((await run([])).stdout).toMatch(/^0 running, 1 interrupted, .* last seen 1 h ago/);
  });

  it('warns if part of the inbox is unreadable', async () => {
    const worker = await begin();
    await worker.accept(update(1, 1, 'damage this'));
    await worker.accept(update(2));
    const [name = ''] = readdirSync(join(folder(), 'log'));
    const content = readFileSync(join(folder(), 'log', name));
    content.write('damaged', content.indexOf('damage this'));
    writeFileSync(join(folder(), 'log', name), content);
    const { exitCode, stdout, stderr } = await run([]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'warning: part of the inbox is unreadable; showing the rest\n',
    });
    expect(stdout).toMatch(/^waiting +2 /m);
  });
});

describe('lastcall inbox show', () => {
  it('prints one update in one line, or indented on a terminal', async () => {
    const worker = await begin();
    await worker.accept(update(1), update(2));
    await worker.fail(new Error('first line'), 1);
    const { exitCode, stdout } = await run(['show', '1']);
    expect(exitCode).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({
      updateId: 1,
      state: 'dead',
      why: 'failed',
      error: 'Error: first line\n    at somewhere',
      update: update(1),
    });
    const { stdout: pretty } = await run(['show', '2'], { isTTY: true });
    expect(pretty.split('\n').length).toBeGreaterThan(10);
    expect(JSON.parse(pretty)).toMatchObject({ updateId: 2, state: 'waiting', update: update(2) });
  });

  it('exits 1 without such an update', async () => {
    await begin();
    expect(await run(['show', '77'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'update 77 is not in the inbox\n',
    });
  });

  it('escapes control characters and masks tokens', async () => {
    const worker = await begin();
    const nasty = `\u001b]0;owned\u0007 \u009b31m \u007f \u202egnp.exe \u2028 \ud83d\ude80 ${TOKEN}`;
    await worker.accept(update(2), update(1, 2, nasty));
    await worker.fail(new Error(nasty), 2);
    for (const args of [['show', '1'], ['show', '2'], ['list'], ['list', '--json'], ['export']]) {
      const { stdout } = await run(args, { isTTY: true });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test is about control characters
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
      expect(stdout).not.toContain('NOT-SECRET');
    }
    const { stdout } = await run(['show', '1'], { isTTY: true });
    expect(JSON.parse(stdout).update.message.text).toBe(nasty.replace(TOKEN, `${TOKEN.split(':')[0]}:***`));
    expect(stdout).toContain('🚀');
  });
});

describe('lastcall inbox export', () => {
  it('prints one update per line', async () => {
    const worker = await begin();
    await worker.accept(update(1), update(3, 3), update(2, 2, 'two\nlines'));
    await worker.fail('no', 1);
    await worker.handle(3);
    const lines = async (...args: string[]) =>
      (await run(['export', ...args])).stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    expect(await lines()).toMatchObject([
      { updateId: 3, state: 'running', update: update(3, 3) },
      { updateId: 2, state: 'waiting', update: update(2, 2, 'two\nlines') },
      { updateId: 1, state: 'dead', error: 'no', update: update(1) },
    ]);
    expect(await lines('--waiting')).toMatchObject([{ updateId: 2 }]);
    expect(await lines('--dead')).toMatchObject([{ updateId: 1 }]);
    expect(await lines('--dead', '--waiting')).toHaveLength(2);
  });

  it('exits 1 when it is cut short', async () => {
    const worker = await begin();
    await worker.accept(...Array.from({ length: 100 }, (_, index) => update(index)));
    const signal = AbortSignal.abort(new Error('stop'));
    const stdout = new PassThrough();
    stdout.on('error', () => {});
    const stop = new AbortController();
    stdout.once('readable', () => stop.abort());
    const io = { env: { STATE_DIR: state.path }, cwd: () => '/', stdout, stderr: { write: () => true } };
    expect(await inbox({ args: ['export'], ...io, signal: stop.signal })).toBe(1);
    await expect(inbox({ args: ['export'], ...io, signal })).rejects.toThrow('stop');
  });

  it('is no faster than its reader, and ends when the reader stops', async () => {
    const worker = await begin();
    for (let batch = 0; batch < 20; batch++)
      await worker.accept(
        ...Array.from({ length: 100 }, (_, index) => update(batch * 100 + index, 1, 'x'.repeat(500))),
      );
    const stdout = new PassThrough();
    const stderr = { write: () => true };
    const exported = inbox({
      args: ['export'],
      env: { STATE_DIR: state.path },
      cwd: () => '/',
      stdout,
      stderr,
      signal: new AbortController().signal,
    });
    await once(stdout, 'readable');
    await sleep(50);
    expect(stdout.readableLength).toBeGreaterThan(0);
    expect(stdout.readableLength).toBeLessThan(100_000);
    stdout.destroy();
    expect(await exported).toBe(0);
  });
});

describe('lastcall inbox retry and drop', () => {
  it('are carried out by the owner, and print what was done and what was refused', async () => {
    const worker = await begin();
    await worker.accept(update(1), update(2, 2), update(3, 3), update(4, 4), update(5, 4));
    await worker.fail('no', 1, 2);
    await worker.handle(3);
    expect(await run(['retry', '1', '4', '3', '99'])).toEqual({
      exitCode: 1,
      stdout: 'retrying 1 update: 1\n',
      stderr: 'update 4 is waiting, not dead\nupdate 3 is running, not dead\nupdate 99 is not in the inbox\n',
    });
    expect(await run(['drop', '3', '4'])).toEqual({
      exitCode: 1,
      stdout: 'dropped 1 update: 4\n',
      stderr: 'update 3 was refused: its handler is running\n',
    });
    expect(await run(['drop', '--dead'])).toEqual({
      exitCode: 0,
      stdout: 'dropped 1 update: 2\n',
      stderr: '',
    });
    expect(await run(['retry', '--all'])).toEqual({ exitCode: 0, stdout: 'nothing to retry\n', stderr: '' });
    expect(requests()).toEqual([]);
    expect((await run([])).stdout).toMatch(/^1 running, 2 waiting, 0 dead/);
    expect(worker.take().map(({ updateId }) => updateId)).toEqual([1, 5]);
  });

  it('take filters in place of ids, which all have to agree', async () => {
    const worker = await begin();
    const query = { update_id: 5, callback_query: { from: { id: 9 } } };
    await worker.accept(...[1, 2, 3, 4].map((id) => update(id, id)), query, update(6, 6));
    await worker.fail('no', 1, 2, 5);
    await worker.giveUp('caught', 'no', 3, 4);
    expect((await run(['retry', '--why', 'expired'])).stdout).toBe('nothing to retry\n');
    expect((await run(['drop', '--kind', 'callback_query', '--why', 'caught'])).stdout).toBe(
      'nothing to drop\n',
    );
    expect((await run(['drop', '--kind=callback_query'])).stdout).toBe('dropped 1 update: 5\n');
    expect((await run(['retry', '--since', '2099-01-01T00:00Z'])).stdout).toBe('nothing to retry\n');
    expect((await run(['retry', '--why', 'caught', '--since', '2h'])).stdout).toBe(
      'retrying 2 updates: 3, 4\n',
    );
    expect((await run(['drop', '--dead', '--since', '2020-01-31', '--kind', 'message'])).stdout).toBe(
      'dropped 2 updates: 1, 2\n',
    );
    expect((await run([])).stdout).toMatch(/^0 running, 3 waiting, 0 dead/);
  });

  it('leave the request to the next start if the inbox is not in use', async () => {
    const worker = await begin();
    await worker.accept(update(1), update(2), update(3));
    await worker.fail('no', 1, 2);
    await end(worker, 'kill');
    expect(await run(['retry', '1', '2', '3'])).toEqual({
      exitCode: 1,
      stdout: 'the inbox is not in use; the next process to open it will retry 2 updates: 1, 2\n',
      stderr: 'update 3 is waiting, not dead\n',
    });
    expect(await run(['drop', '3'])).toMatchObject({
      exitCode: 0,
      stdout: 'the inbox is not in use; the next process to open it will drop 1 update: 3\n',
    });
    expect(requests()).toHaveLength(2);
    const next = await begin();
    await next.settle(1, 2);
    await end(next, 'stop');
    expect((await run([])).stdout).toMatch(/^0 running, 0 waiting, 0 dead/);
  });

  it('give up soon on an owner without a recent sign of life', async () => {
    const worker = await begin({ place: 'elsewhere.test' });
    await worker.accept(update(1));
    await end(worker, 'kill');
    const longAgo = Date.now() / 1_000 - 3_600;
    utimesSync(join(folder(), 'owner.json'), longAgo, longAgo);
    const from = performance.now();
    const { exitCode, stderr } = await run(['drop', '1']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^no answer; kept the request to drop 1 update: 1\nIn use by a process on elsewhere\.test, last seen 1 h ago; /,
    );
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  it('stop waiting when the signal aborts, and keep the request', async () => {
    const worker = await begin({ place: 'elsewhere.test' });
    await worker.accept(update(1));
    await end(worker, 'kill');
    const stop = new AbortController();
    const ran = run(['drop', '1'], { signal: stop.signal });
    setTimeout(() => stop.abort(), 300);
    expect(await ran).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^stopped waiting for an answer; kept the request to drop 1 update: 1\n/),
    });
    expect(requests()).toHaveLength(1);
  });

  it('remove old abandoned answers and unfinished requests', async () => {
    const worker = await begin();
    await worker.accept(update(1), update(2));
    const place = (name: string, ageS: number) => {
      const path = join(folder(), 'requests', name);
      writeFileSync(path, '{"done":[],"refused":[]}');
      utimesSync(path, Date.now() / 1_000 - ageS, Date.now() / 1_000 - ageS);
    };
    place('old.answer.json', 4_000);
    place('older.request.json.new', 4_000);
    place('young.answer.json', 60);
    place('notes.txt', 4_000);
    expect((await run(['drop', '1'])).exitCode).toBe(0);
    expect(requests().sort()).toEqual(['notes.txt', 'young.answer.json']);
  });
});

describe('files of another user', () => {
  /** Runs synchronous work with the rights of a user. */
  function as<T>(uid: number, work: () => T): T {
    const { seteuid, setegid } = process;
    if (!seteuid || !setegid) throw new Error('this system knows no users');
    setegid(uid);
    seteuid(uid);
    try {
      return work();
    } finally {
      seteuid(0);
      setegid(0);
    }
  }

  function giveAway(path: string): void {
    chownSync(path, STRANGER, STRANGER);
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }))
      chownSync(join(path, name), STRANGER, STRANGER);
  }

  asRoot('belong to the owner of the folder when root sends a request', async () => {
    const worker = await begin();
    await worker.accept(update(1));
    await end(worker, 'kill');
    giveAway(state.path);
    expect((await run(['drop', '1'])).exitCode).toBe(0);
    const [name = ''] = requests();
    const { uid, gid, mode } = statSync(join(folder(), 'requests', name));
    expect([uid, gid, mode & 0o777]).toEqual([STRANGER, STRANGER, 0o600]);

    as(STRANGER, answerAll);
    const [answer = '', ...more] = requests();
    expect([answer, more]).toEqual([name.replace('request', 'answer'), []]);
    expect(JSON.parse(readFileSync(join(folder(), 'requests', answer), 'utf8'))).toEqual({
      done: [1],
      refused: [],
    });
  });

  asRoot('are closed to a third user', async () => {
    const worker = await begin();
    await worker.accept(update(1));
    chownSync(state.path, STRANGER, STRANGER);
    const options = viewOptions(folder(), bot);
    const forbidden = expect.objectContaining({ code: 'INBOX_FORBIDDEN', exitCode: 78 });
    expect(() => as(STRANGER, () => new InboxView(options))).toThrow(forbidden);
    expect(() => as(STRANGER, () => writeRequest(folder(), { action: 'drop', seqs: [seq(1)] }))).toThrow(
      forbidden,
    );
    expect(requests()).toEqual([]);
  });

  asRoot('are closed to the owner of the folder if they belong to root', async () => {
    const worker = await begin();
    await worker.accept(update(1));
    await end(worker, 'kill');
    giveAway(state.path);
    const id = as(STRANGER, () => writeRequest(folder(), { action: 'drop', seqs: [seq(1)] }));
    answerAll();
    expect(() => as(STRANGER, () => takeAnswer(folder(), id))).toThrow(
      expect.objectContaining({ code: 'INBOX_FORBIDDEN', exitCode: 78 }),
    );
    expect(takeAnswer(folder(), id)).toEqual({ done: [1], refused: [] });
    expect(requests()).toEqual([]);
  });

  asRoot('can be listed by a user with read access only', async () => {
    const worker = await begin();
    await worker.accept(update(1));
    await worker.fail('no', 1);
    await end(worker, 'stop');
    for (const path of [state.path, state.file(bot), folder()]) chmodSync(path, 0o755);
    for (const log of ['log', 'dead-letters'].map((name) => join(folder(), name))) {
      chmodSync(log, 0o755);
      for (const name of readdirSync(log)) chmodSync(join(log, name), 0o644);
    }
    chmodSync(join(folder(), 'requests'), 0o755);
    const before = treeOf(state.path);
    const seen = as(STRANGER, () => {
      const options = viewOptions(folder(), bot);
      return [...new InboxView(options).updates()].map(({ updateId, text }) => [updateId, `${text()}`]);
    });
    expect(seen).toEqual([[1, JSON.stringify(update(1))]]);
    expect(() => as(STRANGER, () => writeRequest(folder(), { action: 'drop', seqs: [seq(1)] }))).toThrow(
      expect.objectContaining({ code: 'INBOX_FORBIDDEN' }),
    );
    expect(treeOf(state.path)).toEqual(before);
  });
});
