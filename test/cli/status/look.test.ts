import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { look, type SeenBot } from '../../../src/cli/status/look.js';
import { findBots } from '../../../src/cli/status/places.js';
import { readBootId } from '../../../src/host/boot-id.js';
import { Folder } from '../../support/folder.js';
import { AtWork, newBot, update } from '../../support/inbox-folder.js';

const OTHER = '471200002';

describe('findBots', () => {
  it('finds the folders that are named as bots are, and each once', () => {
    using folder = new Folder();
    const key = newBot();
    for (const name of [key, OTHER, `${OTHER}-0123456789abcdef`, 'notes'])
      mkdirSync(folder.file('state', name, 'inbox'), { recursive: true });
    mkdirSync(folder.file('state', '14'));
    mkdirSync(folder.file('linked'));
    symlinkSync(folder.file('state', key), folder.file('linked', key));
    const state = folder.file('state');
    const found = findBots(state, false);
    expect(
      found.bots
        .filter((bot) => bot.folder.startsWith(state))
        .map((bot) => bot.key)
        .sort(),
    ).toEqual([key, OTHER].sort());
    expect(found.looked).toEqual([state, '/var/lib']);
    expect(findBots(folder.file('nowhere'), false).closed).not.toContain(folder.file('nowhere'));
  });
});

describe('a bot whose process does not answer', () => {
  const NOW = Date.now();

  it('is told by its files, which stay as they are', async () => {
    using folder = new Folder();
    const key = newBot();
    const run = await AtWork.begin({ stateDir: folder.path, bot: key });
    await run.accept(update(1), update(2), update(3, 2), update(4, 3));
    await run.fail(new Error('no'), 3);
    await run.handle(1);
    await run.end('kill');
    const bot = { key, folder: folder.file(key) };
    const lastRun = { phase: 'running', sinceMs: NOW, pid: 1, supervisor: 'none', bootId: readBootId() };
    writeFileSync(join(bot.folder, 'last-run.json'), JSON.stringify(lastRun));
    const seen = await look(bot, Date.now());
    expect(seen).toMatchObject({
      source: 'disk',
      isSilent: false,
      reports: [],
      // There is a process 1, but it does not hold the bot's lock.
      onDisk: { lastRun: { phase: 'running', pid: 1 }, isRunning: false },
    });
    const { onDisk, inboxBytes } = seen as Extract<SeenBot, { source: 'disk' }>;
    expect(onDisk.inbox).toMatchObject({ begun: 1, waiting: 2, dead: 1 });
    expect(onDisk.inbox?.oldestMs).toBeLessThan(60_000);
    expect(inboxBytes).toBeGreaterThan(0);
  });

  it('is told to run where its lock is held', async () => {
    using folder = new Folder();
    const key = newBot();
    const run = await AtWork.begin({ stateDir: folder.path, bot: key });
    const bot = { key, folder: folder.file(key) };
    const lastRun = {
      phase: 'starting',
      sinceMs: NOW,
      pid: process.pid,
      supervisor: 'none',
      bootId: readBootId(),
    };
    writeFileSync(join(bot.folder, 'last-run.json'), JSON.stringify(lastRun));
    expect(await look(bot, NOW)).toMatchObject({ onDisk: { isRunning: true } });
    await run.end();
  });

  it('that has left nothing is told to have left nothing', async () => {
    using folder = new Folder();
    mkdirSync(folder.file(OTHER));
    expect(await look({ key: OTHER, folder: folder.file(OTHER) }, NOW)).toMatchObject({
      source: 'disk',
      onDisk: { lastRun: undefined, isRunning: false, inbox: undefined, unreadable: undefined },
    });
  });
});

describe('a start that has failed before its bot was known', () => {
  it.each([
    ['is told of the only bot of a state folder', [OTHER], 'no bot.js'],
    ['is told of none of several', [OTHER, '471200003'], undefined],
  ])('%s', async (_, keys, message) => {
    using folder = new Folder();
    for (const key of keys) mkdirSync(folder.file(key, 'inbox'), { recursive: true });
    const start = { firstMs: 1, lastMs: 2, times: 1, exitCode: 78, message: 'no bot.js', supervisor: 'none' };
    writeFileSync(folder.file('failed-starts.jsonl'), `${JSON.stringify(start)}\n`);
    const { bots, places } = findBots(folder.path, false);
    const own = bots.filter((bot) => bot.folder.startsWith(folder.path));
    const seen = await Promise.all(own.map((bot) => look(bot, 3, places)));
    expect(seen.map((one) => one.source === 'disk' && one.failedStart?.message)).toEqual(
      keys.map(() => message),
    );
  });
});

const whyNot = process.getuid?.() === 0 ? undefined : 'it takes root';
const whereRoot = whyNot === undefined ? it : it.skip;

describe(`what this user may not look into${whyNot ? ` (not tested: ${whyNot})` : ''}`, () => {
  const NOBODY = 65_534;

  /** As another user sees it. */
  async function asNobody<T>(see: () => T | Promise<T>): Promise<T> {
    process.seteuid?.(NOBODY);
    try {
      return await see();
    } finally {
      process.seteuid?.(0);
    }
  }

  whereRoot('is named with its owner, and so is the place', async () => {
    using folder = new Folder();
    const bot = { key: OTHER, folder: folder.file(OTHER) };
    mkdirSync(bot.folder, { mode: 0o700 });
    expect(await asNobody(() => findBots(folder.path, false))).toMatchObject({ closed: [folder.path] });
    chmodSync(folder.path, 0o755);
    const found = await asNobody(() => findBots(folder.path, false));
    expect(found).toMatchObject({ bots: [bot], closed: [] });
    expect(await asNobody(() => look(bot, 0))).toEqual({ ...bot, source: 'forbidden', owner: 'root' });
  });
});
