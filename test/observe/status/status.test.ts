import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type Asked, ask } from '../../../src/cli/status/ask.js';
import type { ObservedEvent } from '../../../src/observe/events.js';
import type { LevelRequest } from '../../../src/observe/status/level-request.js';
import { Status, type StatusOptions } from '../../../src/observe/status/status.js';
import { FakeClock } from '../../support/fake-clock.js';
import { Folder } from '../../support/folder.js';

const BOT = 7;
const KEY = '7-key';
const PID = 4711;

function given(options: Partial<StatusOptions> = {}) {
  const folder = new Folder();
  const clock = new FakeClock();
  const events: ObservedEvent[] = [];
  const levels: LevelRequest[] = [];
  const status = new Status({
    ...{ clock, pid: PID, supervisor: 'none', inbox: 'memory', pollTimeoutMs: 50_000, stateDir: folder.path },
    view: () => undefined,
    redact: (text) => text,
    changeLevel: (request) => levels.push(request),
    emit: (event) => events.push(event),
    ...options,
  });
  const at = folder.file(KEY);
  return {
    ...{ clock, status, events, levels, folder: at },
    sockets: () => (existsSync(at) ? readdirSync(at).sort() : []),
    async listens(...sockets: string[]) {
      for (let looks = 0; looks < 200 && this.sockets().join() !== sockets.join(); looks++) await sleep(10);
      expect(this.sockets()).toEqual(sockets);
    },
    ask: (method: string, path: string, body?: object): Promise<Asked> =>
      ask(at, 'status.sock', method, path, body),
    [Symbol.dispose]() {
      status.close();
      folder[Symbol.dispose]();
    },
  };
}

const starting: ObservedEvent = { event: 'lifecycle.starting' };
const polled: ObservedEvent = { event: 'poll.started' };

describe('Status', () => {
  it('opens nothing until the first poll is answered', async () => {
    using t = given();
    t.status.observe(starting);
    t.status.hold(BOT, KEY);
    await t.clock.advance(500);
    t.status.observe(polled, BOT);
    await t.clock.advance(49);
    await sleep(20);
    expect(t.sockets()).toEqual([]);
    await t.clock.advance(1);
    await t.listens('status.sock');
    expect(await t.ask('GET', '/status')).toMatchObject({ status: 200, body: { bot: BOT, pid: PID } });
    expect(t.clock.pending).toBe(0);
  });

  it('can be asked after a second, however long the start takes', async () => {
    using t = given();
    t.status.observe(starting);
    t.status.hold(BOT, KEY);
    await t.clock.advance(1_000);
    await t.listens('status.sock');
    expect(await t.ask('GET', '/status')).toMatchObject({ body: { phase: 'starting' } });
  });

  it('has a name of its own while it stands by, and the common one once it runs the bot', async () => {
    using t = given();
    t.status.observe(starting);
    t.status.standBy(BOT, KEY);
    t.status.observe({ event: 'lock.waiting', bot: BOT, holder: 12 });
    await t.clock.advance(50);
    await t.listens(`status-${PID}.sock`);
    t.status.hold(BOT, KEY);
    await t.listens('status.sock');
    t.status.release(KEY);
    expect(t.sockets()).toEqual([]);
  });

  it('opens nothing after it was closed', async () => {
    using t = given();
    t.status.observe(starting);
    t.status.hold(BOT, KEY);
    t.status.close();
    await t.clock.advance(5_000);
    t.status.hold(BOT, KEY);
    await sleep(20);
    expect(t.sockets()).toEqual([]);
    expect(t.clock.pending).toBe(0);
  });

  it('tells once that it cannot listen', async () => {
    using t = given();
    mkdirSync(`${t.folder}/status.sock`, { recursive: true });
    t.status.observe(starting);
    t.status.hold(BOT, KEY);
    await t.clock.advance(1_000);
    for (let looks = 0; looks < 200 && t.events.length === 0; looks++) await sleep(10);
    expect(t.events).toMatchObject([
      {
        event: 'status.unavailable',
        bot: BOT,
        path: `${t.folder}/status.sock`,
        error: { syscall: 'unlink' },
      },
    ]);
  });

  it('changes the level of the log on request, and says what it does not know', async () => {
    using t = given();
    t.status.observe(starting);
    t.status.hold(BOT, KEY);
    await t.clock.advance(1_000);
    await t.listens('status.sock');
    const request = { level: 'debug', forMs: 1_000 };
    expect(await t.ask('POST', '/log', request)).toMatchObject({ status: 200, body: { pid: PID } });
    expect(t.levels).toEqual([request]);
    expect(await t.ask('POST', '/log', { level: 'loud' })).toMatchObject({ status: 400 });
    expect(await t.ask('GET', '/nothing')).toMatchObject({ status: 404 });
  });

  it("leaves the level of a program's own log alone", async () => {
    using t = given({ changeLevel: undefined });
    t.status.observe(starting);
    t.status.hold(BOT, KEY);
    await t.clock.advance(1_000);
    await t.listens('status.sock');
    expect(await t.ask('POST', '/log', { level: 'debug', forMs: 1 })).toMatchObject({
      status: 409,
      body: { error: "the log is the program's own" },
    });
  });

  it('does without where there is no place for state', async () => {
    using t = given({ stateDir: undefined });
    t.status.observe(starting);
    t.status.hold(BOT, KEY);
    await t.clock.advance(1_000);
    await sleep(20);
    expect(t.events).toEqual([]);
  });
});
