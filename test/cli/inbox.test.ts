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
import { PassThrough, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fetchAnswer, post } from '../../src/cli/inbox/request.js';
import { inboxCommand } from '../../src/cli/inbox.js';
import { botKey } from '../../src/host/bot-key.js';
import { seq } from '../../src/inbox/ids.js';
import { systemDisk } from '../../src/inbox/log/disk.js';
import { answerRequests } from '../../src/inbox/store/requests.js';
import { InboxView } from '../../src/inbox/store/view.js';
import { Folder } from '../support/folder.js';
import { AtWork, type AtWorkOptions, newBot, treeOf, update, viewOptions } from '../support/inbox-folder.js';

jest.setTimeout(30_000);

const TOKEN = '471200002:INBOX-TEST-TOKEN-NOT-SECRET-AT-ALL-12';
/** Nobody else has the right to give files away, or to become another user. */
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

async function run(
  args: readonly string[],
  { env = {}, isTTY = false, signal = new AbortController().signal } = {},
) {
  const printed = { stdout: '', stderr: '' };
  const stdout = Object.assign(
    new Writable({
      write(chunk, _encoding, taken) {
        printed.stdout += chunk;
        taken();
      },
    }),
    { isTTY },
  );
  const stderr = {
    write(text: string | Uint8Array) {
      printed.stderr += text;
      return true;
    },
  };
  const exitCode = await inboxCommand(args, {
    env: { STATE_DIR: state.path, ...env },
    cwd: state.path,
    stdout,
    stderr,
    signal,
  });
  expect(printed.stdout + printed.stderr).not.toContain(TOKEN.slice(12));
  return { exitCode, ...printed };
}

const refused = (code: string, message: string | RegExp) =>
  expect.objectContaining({ code, exitCode: 78, message: expect.stringMatching(message) });

describe('which bot', () => {
  it('is the only one there, without a word', async () => {
    await begin();
    // Neither an inbox, nor a bot.
    mkdirSync(state.file('471200009-0123456789abcdef'));
    mkdirSync(state.file('notes', 'inbox'), { recursive: true });
    const { exitCode, stdout } = await run([]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      `0 running, 0 waiting, 0 dead in the inbox of bot ${bot}. A process on this host works with it.\n`,
    );
  });

  it('is the one of the token, at the Bot API server of the settings; unless --bot says another', async () => {
    const apiRoot = 'http://127.0.0.1:1';
    const botOfToken = botKey({ apiRoot, testEnv: false, botId: 471200002 });
    const env = { BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: apiRoot };
    await begin();
    await begin({ bot: botOfToken });
    expect((await run(['list'], { env })).stdout).toContain(`of bot ${botOfToken}.`);
    expect((await run(['--bot', bot], { env })).stdout).toContain(`of bot ${bot}.`);
    expect((await run(['--bot=471200002'])).stdout).toContain(`of bot ${botOfToken}.`);
    expect((await run(['list', '--bot', '471200001'])).stdout).toContain(`of bot ${bot}.`);
    await expect(run([], { env: { BOT_TOKEN: TOKEN } })).rejects.toEqual(
      refused('INBOX_NOT_FOUND', /^there is no inbox of bot 471200002-\w+ in \S+, only of 4712\S+, 4712\S+$/),
    );
  });

  it('is asked for where there are several, which are named', async () => {
    const other = newBot();
    await begin();
    await begin({ bot: other });
    for (const args of [[], ['show', '5'], ['retry', '--all', '--bot', '471200001']])
      await expect(run(args)).rejects.toEqual(
        refused('INBOX_AMBIGUOUS', `there are inboxes of 2 bots in .*: ${[bot, other].sort().join(', ')}$`),
      );
  });

  it.each([
    [[], '^there is no inbox in /'],
    [['--bot', '5'], '^there is no inbox of bot 5 in /.*, nor of any other$'],
    [['--state-dir', '/no/such/place'], '^there is no inbox in /no/such/place$'],
  ])('may be none: %j', async (args, message) => {
    const before = treeOf(state.path);
    await expect(run(args)).rejects.toEqual(refused('INBOX_NOT_FOUND', message));
    expect(treeOf(state.path)).toEqual(before);
  });
});

describe('what cannot be meant', () => {
  it.each([
    [['frob'], "'frob' is nothing to do with an inbox; there are list, show, retry, drop, export"],
    [['627819794'], "'627819794' is nothing to do with an inbox"],
    [['constructor'], "'constructor' is nothing"],
    [[TOKEN], "'471200002:\\*\\*\\*' is nothing"],
    [['list', '5'], '`lastcall inbox list` takes no ids'],
    [['show'], '`lastcall inbox show` needs the id of an update$'],
    [['show', '1', '2'], '`lastcall inbox show` takes one id'],
    [['show', '1', '--all'], '--all means nothing to `lastcall inbox show`'],
    [['retry'], '`lastcall inbox retry` needs the id of an update, or --all'],
    [['retry', '5', '--all'], '`lastcall inbox retry` takes ids or --all, not both'],
    [['retry', '--dead'], '--dead means nothing to `lastcall inbox retry`'],
    [['drop'], '`lastcall inbox drop` needs the id of an update, or --dead'],
    [['drop', '5x'], "'5x' is no id of an update"],
    [['export', '--json'], '--json means nothing to `lastcall inbox export`'],
    [['--bot', '../x'], "--bot must be the bot's id, or the name of its folder, not '../x'"],
  ])('%j', async (args, message) => {
    await begin();
    await expect(run(args)).rejects.toEqual(refused('COMMAND_MISUSED', message));
  });

  it('is told with the settings that are wrong', async () => {
    await expect(run(['--colour'], { env: { CONCURRENCY: 'many' } })).rejects.toEqual(
      refused('CONFIG_INVALID', /--colour is no flag[\s\S]*CONCURRENCY is "many"/),
    );
  });
});

describe('lastcall inbox list', () => {
  it('shows what runs, waits and is dead, without a word of what was written', async () => {
    const worker = await begin();
    await worker.accept(update(101, 5), update(102, 5), update(103, -100_200), update(104, 7));
    await worker.fail(new TypeError('no such order'), 103, 104);
    await worker.handle(101);
    const { exitCode, stdout, stderr } = await run([]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const [first, blank, ...lines] = stdout.trimEnd().split('\n');
    expect([first, blank]).toEqual([
      `1 running, 1 waiting, 2 dead in the inbox of bot ${bot}. A process on this host works with it.`,
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

  it('shows 20 of each state, of the dead the latest, and says how to see all', async () => {
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

  it('shows programs all, as JSON', async () => {
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
      ...{ why: null, error: null, at: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    expect(updates[29]).toMatchObject({ updateId: 1, state: 'dead', why: 'failed', deaths: null });
    expect(stdout).not.toMatch(/text \d/);
  });

  it('says that nobody works with it, and what was interrupted', async () => {
    const worker = await begin();
    await worker.accept(update(1), update(2, 2));
    await worker.handle(1);
    await end(worker, 'kill');
    const { stdout } = await run([]);
    expect(stdout).toMatch(
      /^0 running, 1 interrupted, 1 waiting, 0 dead .*\. No process works with it now\.\n/,
    );
    expect(stdout).toMatch(/^interrupted +1 +message +1 .* 1 +1$/m);
  });

  it('is not deceived by one that holds the lock and does not work with it', async () => {
    const worker = await begin();
    await worker.accept(update(1));
    await worker.handle(1);
    // As where the one that worked with it was killed, and the next one keeps its updates in memory.
    const before = Date.now() / 1_000 - 120;
    utimesSync(join(folder(), 'owner.json'), before, before);
    expect((await run([])).stdout).toMatch(/^0 running, 1 interrupted, .*No process works with it now\.$/m);
  });

  it('cannot know of a process in another place more than its last sign of life', async () => {
    const worker = await begin({ place: 'elsewhere.test' });
    await worker.accept(update(1));
    await worker.handle(1);
    expect((await run([])).stdout).toMatch(
      /^1 running, .* A process on elsewhere\.test has it, whose last sign of life is <?[\d.]+ m?s old; no more can be known from here\.$/m,
    );
    const longAgo = Date.now() / 1_000 - 3_600;
    utimesSync(join(folder(), 'owner.json'), longAgo, longAgo);
    expect((await run([])).stdout).toMatch(/^0 running, 1 interrupted, .* is 1 h old/);
  });

  it('warns where some of it cannot be read', async () => {
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
      stderr: 'warning: some of the inbox cannot be read any more; what can is shown\n',
    });
    expect(stdout).toMatch(/^waiting +2 /m);
  });
});

describe('lastcall inbox show', () => {
  it('prints all that is known of one, on a line, or for people over several', async () => {
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

  it('exits 1 where there is no such update', async () => {
    await begin();
    expect(await run(['show', '77'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'update 77 is not in the inbox\n',
    });
  });

  it('lets nothing through that a terminal obeys, and no token', async () => {
    const worker = await begin();
    const nasty = `\u001b]0;owned\u0007 \u009b31m \u007f \u202egnp.exe \u2028 \ud83d\ude80 ${TOKEN}`;
    await worker.accept(update(1, 1, nasty), update(2));
    await worker.fail(new Error(nasty), 2);
    for (const args of [['show', '1'], ['show', '2'], ['list'], ['list', '--json'], ['export']]) {
      const { stdout } = await run(args, { isTTY: true });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
      expect(stdout).not.toContain('NOT-SECRET');
    }
    const { stdout } = await run(['show', '1'], { isTTY: true });
    expect(JSON.parse(stdout).update.message.text).toBe(nasty.replace(TOKEN, '471200002:***'));
    expect(stdout).toContain('🚀');
  });
});

describe('lastcall inbox export', () => {
  it('prints one update a line, with what is known of it', async () => {
    const worker = await begin();
    await worker.accept(update(1), update(2, 2, 'two\nlines'), update(3, 3));
    await worker.fail('no', 1);
    await worker.handle(3);
    const lines = async (...args: string[]) =>
      (await run(['export', ...args])).stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    expect(await lines()).toMatchObject([
      { updateId: 2, state: 'waiting', update: update(2, 2, 'two\nlines') },
      { updateId: 3, state: 'running', update: update(3, 3) },
      { updateId: 1, state: 'dead', error: 'no', update: update(1) },
    ]);
    expect(await lines('--waiting')).toMatchObject([{ updateId: 2 }]);
    expect(await lines('--dead')).toMatchObject([{ updateId: 1 }]);
    expect(await lines('--dead', '--waiting')).toHaveLength(2);
  });

  it('that is cut short does not end as if it were whole', async () => {
    const worker = await begin();
    await worker.accept(...Array.from({ length: 100 }, (_, index) => update(index)));
    const signal = AbortSignal.abort(new Error('stop'));
    const stdout = new PassThrough();
    stdout.on('error', () => {});
    const stop = new AbortController();
    stdout.once('readable', () => stop.abort());
    const io = { env: { STATE_DIR: state.path }, cwd: '/', stdout, stderr: { write: () => true } };
    expect(await inboxCommand(['export'], { ...io, signal: stop.signal })).toBe(1);
    await expect(inboxCommand(['export'], { ...io, signal })).rejects.toThrow('stop');
  });

  it('goes no faster than it is read, and ends when nobody reads on', async () => {
    const worker = await begin();
    for (let batch = 0; batch < 20; batch++)
      await worker.accept(
        ...Array.from({ length: 100 }, (_, index) => update(batch * 100 + index, 1, 'x'.repeat(500))),
      );
    const stdout = new PassThrough();
    const stderr = { write: () => true };
    const exported = inboxCommand(['export'], {
      env: { STATE_DIR: state.path },
      cwd: '/',
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
  it('have the process at work do it, and say what was done and what was not', async () => {
    const worker = await begin();
    await worker.accept(update(1), update(2, 2), update(3, 3), update(4, 4), update(5, 4));
    await worker.fail('no', 1, 2);
    await worker.handle(3);
    expect(await run(['retry', '1', '4', '3', '99'])).toEqual({
      exitCode: 1,
      stdout: 'trying 1 update again: 1\n',
      stderr: 'update 4 is waiting, not dead\nupdate 3 is running, not dead\nupdate 99 is not in the inbox\n',
    });
    await worker.delivers(6);
    expect(worker.delivered.at(-1)).toMatchObject({ updateId: 1 });
    expect(await run(['drop', '3', '4'])).toEqual({
      exitCode: 1,
      stdout: 'dropped 1 update: 4\n',
      stderr: 'update 3 was refused: its handler is at work\n',
    });
    expect(await run(['drop', '--dead'])).toEqual({
      exitCode: 0,
      stdout: 'dropped 1 update: 2\n',
      stderr: '',
    });
    expect(await run(['retry', '--all'])).toEqual({ exitCode: 0, stdout: 'nothing to retry\n', stderr: '' });
    expect(requests()).toEqual([]);
    expect((await run([])).stdout).toMatch(/^1 running, 2 waiting, 0 dead/);
  });

  it('leave it to the next start where nobody works with the inbox', async () => {
    const worker = await begin();
    await worker.accept(update(1), update(2), update(3));
    await worker.fail('no', 1, 2);
    await end(worker, 'kill');
    expect(await run(['retry', '1', '2', '3'])).toEqual({
      exitCode: 1,
      stdout: 'no process works with the inbox now; the next one will try 2 updates again: 1, 2\n',
      stderr: 'update 3 is waiting, not dead\n',
    });
    expect(await run(['drop', '3'])).toMatchObject({
      exitCode: 0,
      stdout: 'no process works with the inbox now; the next one will drop 1 update: 3\n',
    });
    expect(requests()).toHaveLength(2);
    const next = await begin();
    await next.delivers(2);
    expect(next.delivered.map(({ updateId }) => updateId).sort()).toEqual([1, 2]);
    expect((await run([])).stdout).toMatch(/^0 running, 2 waiting, 0 dead/);
  });

  it('wait for no one who has given no sign for long, and not for ever for one who has', async () => {
    const worker = await begin({ place: 'elsewhere.test' });
    await worker.accept(update(1));
    await end(worker, 'kill');
    const longAgo = Date.now() / 1_000 - 3_600;
    utimesSync(join(folder(), 'owner.json'), longAgo, longAgo);
    const from = performance.now();
    const { exitCode, stderr } = await run(['drop', '1']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^there was no answer; the request stays, to drop 1 update: 1\nA process on elsewhere\.test has it, whose last sign of life is 1 h old; /,
    );
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  it('stop waiting when they are told to, and say that the request stays', async () => {
    const worker = await begin({ place: 'elsewhere.test' });
    await worker.accept(update(1));
    await end(worker, 'kill');
    const stop = new AbortController();
    const ran = run(['drop', '1'], { signal: stop.signal });
    setTimeout(() => stop.abort(), 300);
    expect(await ran).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^the answer was not waited for; the request stays, to drop 1 update: 1\n/,
      ),
    });
    expect(requests()).toHaveLength(1);
  });

  it('clear away what others did not fetch, once that is old', async () => {
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
  /** What a process of that user would do; nothing else happens meanwhile. */
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

  asRoot('stay theirs when root asks; they can read the request, and root the answer', async () => {
    const worker = await begin();
    await worker.accept(update(1));
    await end(worker, 'kill');
    giveAway(state.path);
    expect((await run(['drop', '1'])).exitCode).toBe(0);
    const [name = ''] = requests();
    const { uid, gid, mode } = statSync(join(folder(), 'requests', name));
    expect([uid, gid, mode & 0o777]).toEqual([STRANGER, STRANGER, 0o600]);

    as(STRANGER, () =>
      answerRequests(systemDisk, folder(), ({ seqs }) => ({ done: [...seqs], refused: [] })),
    );
    const [answer = '', ...more] = requests();
    expect([answer, more]).toEqual([name.replace('request', 'answer'), []]);
    expect(JSON.parse(readFileSync(join(folder(), 'requests', answer), 'utf8'))).toEqual({
      done: [1],
      refused: [],
    });
  });

  asRoot('are closed to who is neither: the error says whom to be', async () => {
    const worker = await begin();
    await worker.accept(update(1));
    chownSync(state.path, STRANGER, STRANGER);
    const options = viewOptions(folder(), bot);
    const forbidden = expect.objectContaining({ code: 'INBOX_FORBIDDEN', exitCode: 78 });
    expect(() => as(STRANGER, () => new InboxView(options))).toThrow(forbidden);
    expect(() => as(STRANGER, () => post(folder(), { action: 'drop', seqs: [seq(1)] }))).toThrow(forbidden);
    expect(requests()).toEqual([]);
  });

  asRoot('are closed to who owns the folder when they are those of root, and the answer, too', async () => {
    const worker = await begin();
    await worker.accept(update(1));
    await end(worker, 'kill');
    giveAway(state.path);
    const id = as(STRANGER, () => post(folder(), { action: 'drop', seqs: [seq(1)] }));
    answerRequests(systemDisk, folder(), ({ seqs }) => ({ done: [...seqs], refused: [] }));
    expect(() => as(STRANGER, () => fetchAnswer(folder(), id))).toThrow(
      expect.objectContaining({ code: 'INBOX_FORBIDDEN', exitCode: 78 }),
    );
    expect(fetchAnswer(folder(), id)).toEqual({ done: [1], refused: [] });
    expect(requests()).toEqual([]);
  });

  asRoot('are read where they may only be read', async () => {
    const worker = await begin();
    await worker.accept(update(1));
    await worker.fail('no', 1);
    await end(worker, 'stop');
    for (const path of [state.path, state.file(bot), folder(), join(folder(), 'log')]) chmodSync(path, 0o755);
    for (const name of readdirSync(folder()))
      if (name.endsWith('.log')) chmodSync(join(folder(), name), 0o755);
    for (const name of readdirSync(join(folder(), 'log'))) chmodSync(join(folder(), 'log', name), 0o644);
    chmodSync(join(folder(), 'requests'), 0o755);
    const before = treeOf(state.path);
    const seen = as(STRANGER, () => {
      const options = viewOptions(folder(), bot);
      return [...new InboxView(options).updates()].map(({ updateId, text }) => [updateId, `${text()}`]);
    });
    expect(seen).toEqual([[1, JSON.stringify(update(1))]]);
    expect(() => as(STRANGER, () => post(folder(), { action: 'drop', seqs: [seq(1)] }))).toThrow(
      expect.objectContaining({ code: 'INBOX_FORBIDDEN' }),
    );
    expect(treeOf(state.path)).toEqual(before);
  });
});
