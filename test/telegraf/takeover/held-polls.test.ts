import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type HeldPoll, holdPolls } from '../../../src/telegraf/takeover/held-polls.js';
import { Patches } from '../../../src/telegraf/takeover/patches.js';

const asked: (string | undefined)[] = [];
const server = createServer((request, response) => {
  asked.push(request.url);
  response.end('{}');
});
let root: string;
let patches: Patches;
let held: HeldPoll[];
let isHeld: Promise<void>;

beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  asked.length = 0;
  patches = new Patches();
  held = [];
  isHeld = new Promise((resolve) => {
    holdPolls((poll) => {
      held.push(poll);
      resolve();
    }, patches);
  });
});
afterEach(async () => {
  patches.undo();
  await new Promise((resolve) => server.close(resolve));
});

describe('polls', () => {
  it.each([
    '/bot4711:a-token/getUpdates',
    '/bot4711:a-token/getupdates?offset=5',
    '/bot4711:a-token/test/getUpdates',
    '/behind/a/proxy/bot4711:a-token/getUpdates/',
  ])('are held back until they are sent: %s', async (path) => {
    const answer = fetch(`${root}${path}`);
    await isHeld;
    expect(asked).toEqual([]);
    held[0]?.send();
    expect((await answer).status).toBe(200);
    expect(asked).toEqual([path]);
  });

  it('are the only calls that are held back', async () => {
    const paths = [
      '/bot4711:a-token/getMe',
      '/bot4711:a-token/getUpdatesSoon',
      '/getUpdates',
      '/file/bot4711:a/x',
    ];
    for (const path of paths) await fetch(new URL(path, root));
    await fetch(new Request(`${root}/other`));
    expect(asked).toEqual([...paths, '/other']);
    expect(held).toEqual([]);
  });
});
