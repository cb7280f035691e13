import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { takeOverFormerInboxes } from '../src/former-inboxes.js';
import { formerKey } from '../src/host/bot-key.js';
import { formerFolders } from '../src/host/former-folders.js';
import { systemDisk } from '../src/inbox/log/disk.js';
import { countContents } from '../src/inbox/store/contents.js';
import { HEARTBEAT_MS, Owner } from '../src/inbox/store/owner.js';
import { FakeClock } from './support/fake-clock.js';
import { Folder } from './support/folder.js';
import { AtWork, update } from './support/inbox-folder.js';
import { newBotId } from './support/token.js';

const SERVER = 'http://a.test';
const TELEGRAM = 'https://api.telegram.org';
const isRoot = process.geteuid?.() === 0;

let state: Folder;
let botId: number;
beforeEach(() => {
  state = new Folder();
  botId = newBotId();
});
afterEach(() => state[Symbol.dispose]());

const own = () => state.file(`${botId}`);
const contentsOf = (folder: string) => countContents(join(folder, 'inbox'));

/** The folder of a former version, with updates that are not handled, and dead letters. */
async function leave(server: string, { waiting = 0, dead = 0, testEnv = false }): Promise<string> {
  const bot = formerKey(botId, server, testEnv);
  const run = await AtWork.begin({ stateDir: state.path, bot });
  const ids = Array.from({ length: waiting + dead }, (_, index) => index + 1);
  await run.accept(...ids.map((id) => update(id, id)));
  await run.fail(new Error('no'), ...ids.slice(waiting));
  await run.end();
  writeFileSync(state.file(bot, 'last-run.json'), `{"of":"${server}"}`);
  return state.file(bot);
}

function takeOver({
  signal = new AbortController().signal,
  clock = new FakeClock(),
  apiRoot = SERVER,
  testEnv = false,
} = {}) {
  const told: object[] = [];
  const waits: (string | undefined)[] = [];
  const bot = { apiRoot, testEnv, botId };
  const done = takeOverFormerInboxes({
    stateDir: state.path,
    bot,
    former: formerFolders(bot, state.path),
    clock,
    signal,
    waiting: (place) => waits.push(place),
    emit: (event) => told.push(event),
  });
  return { done, told, waits };
}

async function takenOver(server: { apiRoot?: string; testEnv?: boolean } = {}) {
  const { done, told } = takeOver(server);
  await done;
  return told;
}

describe('the inbox of a former version', () => {
  it('becomes that of the bot, with how its last run ended, and its folder goes', async () => {
    const from = await leave(SERVER, { waiting: 3, dead: 2 });
    expect(await takenOver()).toEqual([{ event: 'former-inbox.taken-over', bot: botId, from, path: own() }]);
    expect(readdirSync(state.path)).toEqual([`${botId}`]);
    expect(readdirSync(own()).sort()).toEqual(['inbox', 'last-run.json']);
    const run = await AtWork.begin({ stateDir: state.path, bot: `${botId}` });
    expect(run.take()).toHaveLength(3);
    await run.end();
    expect(await contentsOf(own())).toEqual({ updates: 3, dead: 2 });
    expect(await takenOver()).toEqual([]);
  });

  it('is taken over to the end by the next process, where one was killed amid it', async () => {
    const from = await leave(SERVER, { waiting: 1 });
    mkdirSync(own());
    renameSync(join(from, 'inbox'), join(own(), 'inbox'));
    expect(await takenOver()).toEqual([]);
    expect(readdirSync(state.path)).toEqual([`${botId}`]);
    expect(readdirSync(own()).sort()).toEqual(['inbox', 'last-run.json']);
  });

  it('is taken over though another was used later, if that holds nothing', async () => {
    const from = await leave(SERVER, { waiting: 3 });
    const path = await leave(TELEGRAM, {});
    utimesSync(from, 1, 1);
    const left = { event: 'former-inbox.left', bot: botId, path, own: own() };
    expect(await takenOver()).toMatchObject([{ event: 'former-inbox.taken-over', from }, left]);
    expect(await takenOver()).toEqual([left]);
    rmSync(path, { recursive: true });
    expect(await takenOver()).toEqual([]);
  });

  it('is told of where another is taken over, which was used later', async () => {
    const path = await leave(SERVER, { waiting: 3, dead: 1 });
    const from = await leave(TELEGRAM, { dead: 1 });
    utimesSync(path, 1, 1);
    const left = { event: 'former-inbox.left', bot: botId, path, own: own() };
    expect(await takenOver()).toEqual([
      expect.objectContaining({ event: 'former-inbox.taken-over', from }),
      left,
    ]);
    expect(await takenOver()).toEqual([left]);
    expect(await contentsOf(path)).toEqual({ updates: 3, dead: 1 });
  });

  it('is told of, and not read, where the bot has one', async () => {
    const path = await leave(SERVER, { waiting: 1 });
    mkdirSync(join(own(), 'inbox'), { recursive: true });
    // Reading this would fail.
    rmSync(join(path, 'inbox'), { recursive: true });
    mkdirSync(join(path, 'inbox'));
    writeFileSync(join(path, 'inbox', 'log'), 'not a folder');
    expect(await takenOver()).toEqual([{ event: 'former-inbox.left', bot: botId, path, own: own() }]);
  });

  it.each([
    ['a disk that fails', 'INBOX_DISK', (path: string) => mkdirSync(path)],
    ['a place that is closed', 'INBOX_UNAVAILABLE', (path: string) => symlinkSync(path, path)],
  ])(
    'ends the start where it cannot be moved because of %s, and is taken over by a later one',
    async (_, code, spoil) => {
      const from = await leave(SERVER, { waiting: 3 });
      const owner = join(from, 'inbox', 'owner.json');
      spoil(owner);
      await expect(takenOver()).rejects.toMatchObject({ code });
      expect(existsSync(join(own(), 'inbox'))).toBe(false);
      rmSync(owner, { recursive: true });
      expect(await takenOver()).toMatchObject([{ event: 'former-inbox.taken-over', from }]);
    },
  );

  it('ends the start where there can be no folder for the bot', async () => {
    const path = await leave(SERVER, { waiting: 3 });
    writeFileSync(own(), 'not a folder');
    await expect(takenOver()).rejects.toMatchObject({ code: 'INBOX_UNAVAILABLE' });
    expect(await contentsOf(path)).toEqual({ updates: 3, dead: 0 });
  });

  it('ends the start where it cannot be seen whether there is one, and is told of if the bot has one', async () => {
    const path = state.file(formerKey(botId, SERVER));
    mkdirSync(path);
    symlinkSync(join(path, 'inbox'), join(path, 'inbox'));
    await expect(takenOver()).rejects.toMatchObject({ code: 'INBOX_UNAVAILABLE' });
    mkdirSync(join(own(), 'inbox'), { recursive: true });
    const error = expect.objectContaining({ code: 'ELOOP' });
    expect(await takenOver()).toEqual([{ event: 'former-inbox.left', bot: botId, path, own: own(), error }]);
  });

  it('ends the start with what to do where it is behind a link', async () => {
    const path = await leave(SERVER, { waiting: 3 });
    renameSync(path, state.file('elsewhere'));
    symlinkSync(state.file('elsewhere'), path);
    await expect(takenOver()).rejects.toMatchObject({ code: 'FORMER_INBOX_REFUSED', culprit: path });
    mkdirSync(own());
    renameSync(join(path, 'inbox'), join(own(), 'inbox'));
    expect(await takenOver()).toEqual([]);
    expect(await contentsOf(own())).toEqual({ updates: 3, dead: 0 });
  });

  it('ends the start where the state directory is none', async () => {
    state[Symbol.dispose]();
    writeFileSync(state.path, 'not a folder');
    await expect(takenOver()).rejects.toMatchObject({ code: 'INBOX_UNAVAILABLE' });
  });

  it('is told where it is behind a link, and holds nothing', async () => {
    const path = await leave(SERVER, {});
    renameSync(path, state.file('elsewhere'));
    symlinkSync(state.file('elsewhere'), path);
    expect(await takenOver()).toEqual([{ event: 'former-inbox.left', bot: botId, path, own: own() }]);
  });

  (isRoot ? it : it.skip)('ends the start until it is given to the user of the bot (root)', async () => {
    const from = await leave(SERVER, { waiting: 3 });
    chownSync(from, 65_534, 65_534);
    await expect(takenOver()).rejects.toMatchObject({ code: 'FORMER_INBOX_REFUSED', culprit: from });
    expect(existsSync(join(own(), 'inbox'))).toBe(false);
    chownSync(from, 0, 0);
    expect(await takenOver()).toMatchObject([{ event: 'former-inbox.taken-over', from }]);
  });

  (isRoot ? it : it.skip)('ends the start where this user may not look into it (root)', async () => {
    const path = await leave(SERVER, { waiting: 3 });
    chownSync(state.path, 65_534, 65_534);
    process.seteuid?.(65_534);
    try {
      await expect(takenOver()).rejects.toMatchObject({ code: 'FORMER_INBOX_REFUSED', culprit: path });
    } finally {
      process.seteuid?.(0);
    }
  });

  it.each([false, true])(
    'is never taken where its server is unknown, and so its environment (in the test one: %s)',
    async (testEnv) => {
      const path = await leave('http://localhost:8081', { waiting: 2, testEnv });
      for (const runsInTest of [false, true])
        await expect(takenOver({ testEnv: runsInTest })).rejects.toMatchObject({
          code: 'FORMER_INBOX_REFUSED',
          culprit: path,
        });
      const from = await leave(SERVER, { waiting: 1, testEnv });
      expect(await takenOver({ testEnv })).toMatchObject([
        { event: 'former-inbox.taken-over', from },
        { event: 'former-inbox.left', path },
      ]);
      expect(await contentsOf(path)).toEqual({ updates: 2, dead: 0 });
    },
  );

  it('of another bot is left alone, in silence', async () => {
    const folder = state.file(formerKey(botId + 1, SERVER), 'inbox');
    mkdirSync(folder, { recursive: true });
    expect(await takenOver()).toEqual([]);
    expect(existsSync(folder)).toBe(true);
  });

  it('is not taken from a living owner in another place, and is from a dead one', async () => {
    const path = await leave(SERVER, { waiting: 1 });
    const clock = new FakeClock();
    const elsewhere = new Owner({
      disk: systemDisk,
      folder: join(path, 'inbox'),
      clock,
      place: 'elsewhere',
      id: 'theirs',
    });
    await elsewhere.acquire();
    const refused = takeOver({ clock });
    const settled = expect(refused.done).rejects.toMatchObject({ code: 'INBOX_IN_USE' });
    while (refused.waits.length === 0) await new Promise(setImmediate);
    elsewhere.heartbeat();
    await clock.advance(2 * HEARTBEAT_MS);
    await settled;
    expect(existsSync(own())).toBe(false);

    const { done, told, waits } = takeOver({ clock });
    while (waits.length === 0) await new Promise(setImmediate);
    await clock.advance(2 * HEARTBEAT_MS);
    await clock.advance(HEARTBEAT_MS);
    await done;
    expect(told).toMatchObject([{ event: 'former-inbox.taken-over' }]);
    expect(() => elsewhere.check()).toThrow(expect.objectContaining({ code: 'INBOX_REMOVED' }));
  });

  it('stays where the run stops first', async () => {
    const path = await leave(SERVER, { waiting: 1 });
    await expect(takeOver({ signal: AbortSignal.abort(new Error('stopped')) }).done).rejects.toThrow(
      'stopped',
    );
    expect(await contentsOf(path)).toEqual({ updates: 1, dead: 0 });
  });
});
