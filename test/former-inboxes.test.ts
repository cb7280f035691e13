import { existsSync, mkdirSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { takeOverFormerInboxes } from '../src/former-inboxes.js';
import { formerKey } from '../src/host/bot-key.js';
import { systemDisk } from '../src/inbox/log/disk.js';
import { countContents } from '../src/inbox/store/contents.js';
import { HEARTBEAT_MS, Owner } from '../src/inbox/store/owner.js';
import { FakeClock } from './support/fake-clock.js';
import { Folder } from './support/folder.js';
import { AtWork, update } from './support/inbox-folder.js';
import { newBotId } from './support/token.js';

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
async function leave(server: string, { waiting = 0, dead = 0 }): Promise<string> {
  const bot = formerKey(botId, server);
  const run = await AtWork.begin({ stateDir: state.path, bot });
  const ids = Array.from({ length: waiting + dead }, (_, index) => index + 1);
  await run.accept(...ids.map((id) => update(id, id)));
  await run.fail(new Error('no'), ...ids.slice(waiting));
  await run.end();
  writeFileSync(state.file(bot, 'last-run.json'), `{"of":"${server}"}`);
  return state.file(bot);
}

function takeOver({ signal = new AbortController().signal, clock = new FakeClock() } = {}) {
  const told: object[] = [];
  const waits: (string | undefined)[] = [];
  const done = takeOverFormerInboxes({
    stateDir: state.path,
    bot: { apiRoot: 'https://api.telegram.org', testEnv: false, botId },
    clock,
    signal,
    waiting: (place) => waits.push(place),
    emit: (event) => told.push(event),
  });
  return { done, told, waits };
}

async function takenOver() {
  const { done, told } = takeOver();
  await done;
  return told;
}

describe('the inbox of a former version', () => {
  it('becomes that of the bot, with how its last run ended, and its folder goes', async () => {
    const from = await leave('http://a.test', { waiting: 3, dead: 2 });
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
    const from = await leave('http://a.test', { waiting: 1 });
    mkdirSync(own());
    renameSync(join(from, 'inbox'), join(own(), 'inbox'));
    expect(await takenOver()).toEqual([]);
    expect(readdirSync(state.path)).toEqual([`${botId}`]);
    expect(readdirSync(own()).sort()).toEqual(['inbox', 'last-run.json']);
  });

  it('is taken over though another was used later, if that holds nothing', async () => {
    const from = await leave('http://a.test', { waiting: 3 });
    const later = await leave('http://b.test', {});
    utimesSync(from, 1, 1);
    expect(await takenOver()).toMatchObject([{ event: 'former-inbox.taken-over', from }]);
    expect(existsSync(later)).toBe(true);
    expect(await takenOver()).toEqual([]);
  });

  it('is told of where another is taken over, which was used later', async () => {
    const path = await leave('http://a.test', { waiting: 3, dead: 1 });
    const from = await leave('http://b.test', { dead: 1 });
    utimesSync(path, 1, 1);
    const left = { event: 'former-inbox.left', bot: botId, path, own: own(), updates: 3, dead: 1 };
    expect(await takenOver()).toEqual([
      left,
      expect.objectContaining({ event: 'former-inbox.taken-over', from }),
    ]);
    expect(await takenOver()).toEqual([left]);
    expect(await contentsOf(path)).toEqual({ updates: 3, dead: 1 });
  });

  it('is told of where it cannot be moved', async () => {
    const path = await leave('http://a.test', { waiting: 3 });
    writeFileSync(own(), 'not a folder');
    expect(await takenOver()).toMatchObject([
      { event: 'former-inbox.left', path, updates: 3, error: expect.objectContaining({ code: 'EEXIST' }) },
    ]);
    expect(await contentsOf(path)).toEqual({ updates: 3, dead: 0 });
  });

  it('of another bot is left alone, in silence', async () => {
    const folder = state.file(formerKey(botId + 1, 'http://a.test'), 'inbox');
    mkdirSync(folder, { recursive: true });
    expect(await takenOver()).toEqual([]);
    expect(existsSync(folder)).toBe(true);
  });

  it('is not taken from a living owner in another place, and is from a dead one', async () => {
    const path = await leave('http://a.test', { waiting: 1 });
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
    const path = await leave('http://a.test', { waiting: 1 });
    await expect(takeOver({ signal: AbortSignal.abort(new Error('stopped')) }).done).rejects.toThrow(
      'stopped',
    );
    expect(await contentsOf(path)).toEqual({ updates: 1, dead: 0 });
  });
});
