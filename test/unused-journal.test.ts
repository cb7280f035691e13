import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { tellUnusedJournal } from '../src/unused-journal.js';
import { Folder } from './support/folder.js';
import { AtWork, update } from './support/inbox-folder.js';

let state: Folder;
beforeEach(() => {
  state = new Folder();
});
afterEach(() => state[Symbol.dispose]());

async function told(folder = '7'): Promise<object[]> {
  const events: object[] = [];
  const { signal } = new AbortController();
  const emit = (event: object) => void events.push(event);
  await tellUnusedJournal({ folder: state.file(folder), bot: 7, inbox: 'postgres', signal, emit });
  return events;
}

it('counts what a journal holds that is not in use', async () => {
  const run = await AtWork.begin({ stateDir: state.path, bot: '7' });
  await run.accept(update(1, 1), update(2, 2), update(3, 3));
  await run.fail(new Error('no'), 3);
  await run.end();
  const path = state.file('7', 'inbox');
  expect(await told()).toEqual([
    { event: 'journal.unused', bot: 7, path, inbox: 'postgres', updates: 2, dead: 1 },
  ]);
});

it('says nothing of one that is empty, of none, and of one that cannot be read', async () => {
  expect(await told()).toEqual([]);
  await (await AtWork.begin({ stateDir: state.path, bot: '7' })).end();
  expect(await told()).toEqual([]);
  mkdirSync(state.file('8'));
  state.write(join('8', 'inbox'), 'no folder');
  expect(await told('8')).toEqual([]);
});
