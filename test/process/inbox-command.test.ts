/** `lastcall inbox` of the built program with a real daemon. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { botKey } from '../../src/host/bot-key.js';
import { updateId } from '../../src/inbox/ids.js';
import { systemDisk } from '../../src/inbox/log/disk.js';
import { openStore } from '../../src/inbox/store/open-store.js';
import { type Daemon, mainFile, spawnDaemon } from '../support/daemon.js';
import { allAnswered, answers, countsOf, openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { Folder } from '../support/folder.js';
import { newBot, treeOf } from '../support/inbox-folder.js';
import { newUpdates } from '../support/new-updates.js';
import { idle, told } from '../support/stopping.js';

jest.setTimeout(60_000);

/** The interval at which the daemon looks for requests, and the time to start and end a process on a busy machine. */
const AT_ONCE_MS = 1_000 + 1_000;

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly tookMs: number;
}

/** Runs `lastcall inbox` to its end, with the settings of the sandbox's first bot. */
async function inbox(bed: TestBed, ...args: readonly string[]): Promise<Ended> {
  const { token, apiRoot, stateDir } = bed;
  const env = { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, STATE_DIR: stateDir };
  const from = performance.now();
  await using program = spawnDaemon({ args: ['inbox', ...args], env });
  const { code } = await program.end();
  return { code, output: program.output, tookMs: performance.now() - from };
}

interface Listed {
  readonly updateId: number;
  readonly state: string;
  readonly key: string;
  readonly attempts: number;
  readonly deaths: number | null;
}

async function listed(bed: TestBed): Promise<{ counts: Record<string, number>; updates: readonly Listed[] }> {
  const { code, output } = await inbox(bed, 'list', '--json');
  expect(code).toBe(0);
  return JSON.parse(output);
}

const idsIn = (updates: readonly Listed[], state: string): number[] =>
  updates.filter((update) => update.state === state).map(({ updateId }) => updateId);

const requestsFolder = ({ stateDir }: TestBed): string =>
  join(stateDir, readdirSync(stateDir)[0] ?? '', 'inbox', 'requests');

const startMoody = (bed: TestBed): Daemon => runBot(bed, 'moody', { ipc: true, env: { STOP_TIMEOUT: '5s' } });

/** Brings one running and two waiting updates into chat 1, and one dead letter each into chats 2 and 3. */
async function prepare(bed: TestBed, daemon: Daemon): Promise<void> {
  await idle(bed);
  for (const text of ['slow', 'first behind', 'second behind']) bed.say({ chat: 1, text });
  bed.say({ chat: 2, text: 'fail two' });
  bed.say({ chat: 3, text: 'fail three' });
  bed.say({ chat: 4, text: 'well' });
  await answers(bed, 1);
  await daemon.waitFor(() => told(daemon, 'handler.failed').length === 2);
  await idle(bed);
  // Settled updates are written a few milliseconds later.
  const isWritten = async () => (await listed(bed)).updates.length === 5;
  for (let looks = 0; !(await isWritten()); looks++) expect(looks).toBeLessThan(100);
}

describe('lastcall inbox, while the daemon runs', () => {
  it('lists running, waiting and dead updates, and changes no file', async () => {
    await using bed = await openSandbox();
    await using daemon = startMoody(bed);
    await prepare(bed, daemon);
    const { counts, updates } = await listed(bed);
    expect(counts).toEqual({ running: 1, interrupted: 0, waiting: 2, dead: 2 });
    expect(updates.map(({ state, key, attempts }) => [state, key, attempts])).toEqual([
      ['running', '1', 1],
      ['waiting', '1', 0],
      ['waiting', '1', 0],
      ['dead', '2', 1],
      ['dead', '3', 1],
    ]);
    const files = treeOf(requestsFolder(bed));
    const { output } = await inbox(bed);
    expect(output).toMatch(
      /^1 running, 2 waiting, 2 dead in the inbox of bot .* In use by a process on this host\.\n/,
    );
    expect(output).toMatch(/^dead +\d+ +message +3 .* 1 +failed: TypeError: no mood for 3$/m);
    expect(output).not.toMatch(/behind|fail two|well/);
    expect(treeOf(requestsFolder(bed))).toEqual(files);

    const [id] = idsIn(updates, 'waiting');
    const { output: shown } = await inbox(bed, 'show', `${id}`);
    expect(JSON.parse(shown)).toMatchObject({ updateId: id, update: { message: { text: 'first behind' } } });
    const { output: exported } = await inbox(bed, 'export', '--dead');
    const texts = exported
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).update.message.text);
    expect(texts).toEqual(['fail two', 'fail three']);
    daemon.child.send('go on');
    await answers(bed, 4);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('retries dead letters at once', async () => {
    await using bed = await openSandbox();
    await using daemon = startMoody(bed);
    await prepare(bed, daemon);
    const [two, three] = idsIn((await listed(bed)).updates, 'dead');
    const retried = await inbox(bed, 'retry', `${two}`);
    expect(retried).toMatchObject({ code: 0, output: `retrying 1 update: ${two}\n` });
    expect(retried.tookMs).toBeLessThan(AT_ONCE_MS);
    await answers(bed, 2);
    expect(await inbox(bed, 'retry', '--all')).toMatchObject({
      code: 0,
      output: `retrying 1 update: ${three}\n`,
    });
    await answers(bed, 3);
    daemon.child.send('go on');
    await allAnswered(bed);
    expect(bed.report()).toMatchObject({ unanswered: 0, answeredTwice: 0 });
    expect((await listed(bed)).updates).toEqual([]);
    expect(await inbox(bed, 'retry', `${two}`)).toMatchObject({ code: 1 });
    expect(readdirSync(requestsFolder(bed))).toEqual([]);
    await daemon.stop();
    expect(countsOf(daemon.receipt)).toMatchObject({ recovered: 2, failed: 2, left: 0 });
  });

  it('drops waiting updates of a busy chat, but no running ones', async () => {
    await using bed = await openSandbox();
    await using daemon = startMoody(bed);
    await prepare(bed, daemon);
    const { updates } = await listed(bed);
    const [running] = idsIn(updates, 'running');
    const [first] = idsIn(updates, 'waiting');
    const [two] = idsIn(updates, 'dead');
    const dropped = await inbox(bed, 'drop', `${running}`, `${first}`, `${two}`);
    expect(dropped.code).toBe(1);
    expect(dropped.output).toContain(`dropped 2 updates: ${first}, ${two}\n`);
    expect(dropped.output).toContain(`update ${running} was refused: its handler is running\n`);
    expect(dropped.tookMs).toBeLessThan(AT_ONCE_MS);
    expect((await listed(bed)).counts).toMatchObject({ running: 1, waiting: 1, dead: 1 });
    expect(await inbox(bed, 'drop', '--dead')).toMatchObject({ code: 0 });

    daemon.child.send('go on');
    await answers(bed, 3);
    await idle(bed);
    const unanswered = bed.exchanges().filter((exchange) => exchange.answers.length === 0);
    expect(unanswered.map(({ text }) => text)).toEqual(['first behind', 'fail two', 'fail three']);
    await daemon.stop();
    expect(countsOf(daemon.receipt)).toMatchObject({ handled: 3, failed: 2, dropped: 1, left: 0 });
    expect(told(daemon, 'inbox.requested')).toMatchObject([{ action: 'drop', refused: 1 }, { refused: 0 }]);
  });

  it('grants one of two equal requests at the same time', async () => {
    await using bed = await openSandbox();
    await using daemon = startMoody(bed);
    await prepare(bed, daemon);
    const dead = idsIn((await listed(bed)).updates, 'dead');
    const both = await Promise.all([inbox(bed, 'retry', '--all'), inbox(bed, 'retry', ...dead.map(String))]);
    const got = both.filter(({ output }) => output.includes(`retrying 2 updates: ${dead.join(', ')}`));
    expect(got).toHaveLength(1);
    await answers(bed, 3);
    daemon.child.send('go on');
    await allAnswered(bed);
    expect(bed.report()).toMatchObject({ unanswered: 0, answeredTwice: 0 });
    expect((await daemon.stop()).code).toBe(0);
  });

  it('ignores invalid requests, as does the daemon', async () => {
    await using bed = await openSandbox();
    await using daemon = startMoody(bed);
    await prepare(bed, daemon);
    const folder = requestsFolder(bed);
    mkdirSync(join(folder, 'folder.request.json'));
    writeFileSync(join(folder, 'half.request.json'), '{"action":"drop","seqs":[1');
    writeFileSync(join(folder, 'other.request.json'), '{"action":"burn","seqs":[1]}');
    writeFileSync(join(folder, 'strange.request.json'), '{"action":"drop","seqs":[-1,1e999,0.5,4]}');
    writeFileSync(join(folder, 'empty.request.json'), '');
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const { code } = await inbox(bed, 'drop', '--dead');
    expect(code).toBe(0);
    const left = readdirSync(folder);
    expect(left).toEqual(expect.arrayContaining(['folder.request.json', 'notes.txt']));
    expect(left.filter((name) => name.endsWith('.request.json'))).toEqual(['folder.request.json']);
    bed.say({ chat: 5, text: 'still there?' });
    await answers(bed, 2);
    expect((await listed(bed)).counts).toMatchObject({ running: 1 });
    daemon.child.send('go on');
    await idle(bed);
    expect((await daemon.stop()).code).toBe(0);
  });
});

/** Only root can run a daemon as another user. */
const asRoot = (name: string, test: () => Promise<void>): void =>
  process.getuid?.() === 0 ? it(name, test) : it.skip(`${name} (needs root: not tested)`, test);

describe('lastcall inbox of root, with the daemon of another user', () => {
  const USER_ID = 54_321;
  const asUser = (id: number) => ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', '--'];

  asRoot('reads, gets answers, and leaves no file of root', async () => {
    await using bed = await openSandbox();
    const folder = join(bed.stateDir, botKey({ testEnv: false, botId: Number.parseInt(bed.token, 10) }));
    mkdirSync(folder);
    for (const path of [bed.stateDir, folder]) chownSync(path, USER_ID, USER_ID);
    await using daemon = runBot(bed, 'moody', { ipc: true, cwd: bed.stateDir, entering: asUser(USER_ID) });
    await prepare(bed, daemon);
    const { updates } = await listed(bed);
    const [two, three] = idsIn(updates, 'dead');
    expect(await inbox(bed, 'retry', `${two}`)).toMatchObject({ code: 0 });
    await answers(bed, 2);
    expect(await inbox(bed, 'drop', `${three}`)).toMatchObject({
      code: 0,
      output: `dropped 1 update: ${three}\n`,
    });
    await daemon.stop('SIGKILL');

    expect(await inbox(bed, 'drop', `${idsIn(updates, 'waiting')[0]}`)).toMatchObject({ code: 0 });
    const names = readdirSync(join(folder, 'inbox'), { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.endsWith('.request.json'))).toHaveLength(1);
    expect(names.filter((name) => statSync(join(folder, 'inbox', name)).uid !== USER_ID)).toEqual([]);
    await using next = runBot(bed, 'moody', { ipc: true, cwd: bed.stateDir, entering: asUser(USER_ID) });
    expect(await next.waitFor('inbox.requested')).toMatchObject({ action: 'drop', refused: 0 });
  });
});

describe('lastcall inbox, without the daemon', () => {
  it('lists interrupted updates, and leaves requests to the next start', async () => {
    await using bed = await openSandbox();
    await using first = startMoody(bed);
    await prepare(bed, first);
    await first.stop('SIGKILL');
    const { counts, updates } = await listed(bed);
    expect(counts).toEqual({ running: 0, interrupted: 1, waiting: 2, dead: 2 });
    const [slow] = idsIn(updates, 'interrupted');
    const [two] = idsIn(updates, 'dead');
    const [behind] = idsIn(updates, 'waiting');
    const { output } = await inbox(bed);
    expect(output).toMatch(/, 1 interrupted, .* Not in use\.\n/);
    expect(await inbox(bed, 'retry', `${two}`)).toMatchObject({
      code: 0,
      output: `the inbox is not in use; the next process to open it will retry 1 update: ${two}\n`,
    });
    expect(await inbox(bed, 'drop', `${slow}`, `${behind}`)).toMatchObject({ code: 0 });

    await using second = startMoody(bed);
    await answers(bed, 2);
    await idle(bed);
    const after = await listed(bed);
    // The bot fails again, as its state is that of a new process.
    expect(after.counts).toEqual({ running: 0, interrupted: 0, waiting: 0, dead: 2 });
    const unanswered = bed.exchanges().filter((exchange) => exchange.answers.length === 0);
    expect(unanswered.map(({ text }) => text)).toEqual(['slow', 'first behind', 'fail two', 'fail three']);
    expect((await second.stop()).code).toBe(0);
    expect((await listed(bed)).counts).toEqual({ running: 0, interrupted: 0, waiting: 0, dead: 2 });
  });

  it('exits 78 without an inbox, and creates none', async () => {
    await using bed = await openSandbox();
    const { code, output } = await inbox(bed, 'retry', '--all');
    expect(code).toBe(78);
    expect(output).toMatch(
      /^lastcall: there is no inbox of bot \S+ in \S+, nor of any other\nWhat to do: set STATE_DIR /,
    );
    expect(readdirSync(bed.stateDir)).toEqual([]);
  });
});

describe('a large inbox', () => {
  const UPDATES = 100_000;
  const HEAP_MIB = 48;

  it('(100,000 updates) is listed and exported in little memory, only as far as it is read', async () => {
    using state = new Folder();
    const bot = newBot();
    const folder = state.file(bot, 'inbox');
    await fill(folder, bot, UPDATES);
    const env = { PATH: process.env['PATH'] ?? '', HOME: state.path, STATE_DIR: state.path };

    const lister = spawn(process.execPath, [mainFile, 'inbox'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let list = '';
    lister.stdout.on('data', (chunk) => {
      list += chunk;
    });
    await once(lister, 'close');
    expect(list).toMatch(/^0 running, 100000 waiting, 0 dead /);

    // The heap is smaller than half of the output.
    const little = `--max-old-space-size=${HEAP_MIB}`;
    const exporter = spawn(process.execPath, [little, mainFile, 'inbox', 'export'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let lines = 0;
    let bytes = 0;
    let peakMiB = 0;
    for await (const chunk of exporter.stdout) {
      bytes += chunk.length;
      for (const byte of chunk) if (byte === 10) lines++;
      if (process.platform === 'linux') peakMiB = Math.max(peakMiB, residentMiB(exporter.pid));
    }
    expect(exporter.exitCode ?? (await once(exporter, 'exit'))[0]).toBe(0);
    expect(lines).toBe(UPDATES);
    expect(bytes).toBeGreaterThan(2 * HEAP_MIB * 1_024 * 1_024);
    // Most of it is what was read, until the next collection: the log's segments have 16 MiB.
    expect(peakMiB).toBeLessThan(300);

    const head = spawn('sh', ['-c', `"${process.execPath}" "${mainFile}" inbox export | head -n 1`], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed = { stdout: '', stderr: '' };
    head.stdout.on('data', (chunk) => {
      printed.stdout += chunk;
    });
    head.stderr.on('data', (chunk) => {
      printed.stderr += chunk;
    });
    await once(head, 'close');
    expect(JSON.parse(printed.stdout)).toMatchObject({ updateId: 1 });
    expect(printed.stderr).toBe('');
  });

  it('is exported completely to a slow reader', async () => {
    using state = new Folder();
    const bot = newBot();
    await fill(state.file(bot, 'inbox'), bot, 1_000);
    const env = { PATH: process.env['PATH'] ?? '', HOME: state.path, STATE_DIR: state.path };
    const exporter = spawn(process.execPath, [mainFile, 'inbox', 'export'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    for await (const chunk of exporter.stdout) {
      text += chunk;
      await sleep(5);
    }
    const ids = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).updateId);
    expect(ids).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  });

  async function fill(folder: string, bot: string, updates: number): Promise<void> {
    mkdirSync(folder, { recursive: true });
    const store = await openStore({ disk: systemDisk, folder, bot, survivesPowerCut: false, now: Date.now });
    for (let from = 1; from <= updates; from += 100) {
      const batch = Array.from({ length: 100 }, (_, index) => ({
        updateId: from + index,
        key: `${index}`,
        kind: 'message',
        content: { update_id: from + index, message: { text: 'x'.repeat(1_000) } },
      }));
      store.append(newUpdates(batch), updateId(from));
    }
    store.close();
  }

  function residentMiB(pid: number | undefined): number {
    try {
      const [, kB] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      return Number(kB ?? 0) / 1_024;
    } catch {
      return 0; // The process has ended.
    }
  }
});
