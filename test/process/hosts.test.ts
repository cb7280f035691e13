/**
 * Several processes with one bot and one database, as on several hosts. One of them polls, all of them handle; where one of
 * them stops, dies or stands still, the others go on: nothing is lost, the order of each chat is kept, and only what was at
 * work is handled twice.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';
import { type Daemon, type LogLine, median } from '../support/daemon.js';
import { allAnswered, mishaps } from '../support/delivery.js';
import { FLEET_CHATS, Fleet, timeOf } from '../support/fleet.js';
import { PostgresServer } from '../support/postgres.js';

jest.setTimeout(120_000);

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server.stop());

/** A median of so many. */
const ROUNDS = 5;
/** FREEZE_MS=20000 for a long run. The others have taken over after 6 s. */
const FREEZE_MS = Number(process.env['FREEZE_MS'] ?? 6_500);

const LONG_HANDLER_MS = 600;
/** None of those in which the fleet is written to. */
const HELD_CHAT = 99;

/** Waits until another process polls, of all that stand by. */
async function nextPoller(others: readonly Daemon[], since: number): Promise<Daemon> {
  const began = others.map(async (daemon) => {
    await daemon.waitFor((line) => line.event === 'poll.started' && timeOf(line) >= since);
    return daemon;
  });
  const winner = Promise.race(began);
  for (const each of began) each.catch(() => {});
  return winner;
}

function tell(what: string, figuresMs: readonly number[]): void {
  process.stdout.write(`${what}: ${median(figuresMs)} ms (at most ${Math.max(...figuresMs)} ms)\n`);
}

const lastTime = (daemon: Daemon, event: string): number => {
  const line = daemon.lines.findLast((one) => one.event === event);
  if (!line) throw new Error(`there was no ${event}`);
  return timeOf(line);
};

const timesOfBegin = ({ lines }: Daemon, id: unknown): readonly number[] =>
  lines.filter(({ event, updateId }) => event === 'test.begun' && updateId === id).map(timeOf);

/** The ids of what a process has begun and not answered. */
function atWorkIn({ lines }: Daemon, bot: SandboxBot): readonly unknown[] {
  const open = bot.exchanges().flatMap(({ updateId, answers }) => (answers.length === 0 ? [updateId] : []));
  const begun = new Set(lines.filter(({ event }) => event === 'test.begun').map(({ updateId }) => updateId));
  return open.filter((id) => begun.has(id));
}

/** Waits for a moment at which handlers are at work in a process and none is about to begin. */
async function allBegun(daemon: Daemon): Promise<void> {
  const sinceMs = () => Date.now() - lastTime(daemon, 'test.begun');
  const isNow = () => sinceMs() > LONG_HANDLER_MS / 4 && sinceMs() < LONG_HANDLER_MS / 2;
  for (; !isNow(); await sleep(10)) if (sinceMs() > 10_000) throw new Error('nothing is at work');
}

describe('where the process that polls', () => {
  it('stops, another one polls within 0.1 s', async () => {
    await using fleet = await Fleet.open(await server.createDatabase());
    const { sandbox } = fleet;
    let polls = await fleet.join();
    const others = [await fleet.join(), await fleet.join()];
    const gaps: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      fleet.say(3);
      await sandbox.waitFor(() => sandbox.unanswered < FLEET_CHATS * 2, 10_000);
      const since = Date.now();
      const exit = polls.stop();
      const next = await nextPoller(others, since);
      expect(await exit).toMatchObject({ code: 0 });
      gaps.push(lastTime(next, 'poll.started') - lastTime(polls, 'poll.stopped'));
      others.splice(others.indexOf(next), 1, await fleet.join());
      polls = next;
    }
    await allAnswered(sandbox);
    expect(mishaps(sandbox)).toEqual({ lost: 0, twice: 0, outOfOrder: 0 });
    expect(sandbox.state().conflicts).toBe(0);
    tell('polled again after a stop', gaps);
    expect(median(gaps)).toBeLessThan(100);
  });

  it('is killed, another one polls within 0.5 s, and what was at work runs elsewhere within 6 s', async () => {
    await using fleet = await Fleet.open(await server.createDatabase());
    const { sandbox } = fleet;
    let polls = await fleet.join();
    const others = [await fleet.join(), await fleet.join()];
    const gaps: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      fleet.say(2);
      // What the killed ones had waits for their leases to end.
      const { unanswered } = sandbox;
      await sandbox.waitFor(() => sandbox.unanswered < unanswered - 5, 10_000);
      const since = Date.now();
      await polls.stop('SIGKILL');
      const cut = atWorkIn(polls, sandbox);
      const next = await nextPoller(others, since);
      gaps.push(lastTime(next, 'poll.started') - since);
      others.splice(others.indexOf(next), 1);
      polls = next;
      if (round < ROUNDS) {
        others.push(await fleet.join());
        continue;
      }
      await allAnswered(sandbox);
      const again = cut.map((id) =>
        Math.min(
          ...[next, ...others].flatMap((daemon) => timesOfBegin(daemon, id)).filter((at) => at > since),
        ),
      );
      expect(Math.max(since, ...again) - since).toBeLessThan(6_000);
    }
    expect(mishaps(sandbox)).toMatchObject({ lost: 0, outOfOrder: 0 });
    tell('polled again after a kill', gaps);
    expect(median(gaps)).toBeLessThan(500);
  });

  it('stands still, others take over within 6 s, and it does nothing when it wakes', async () => {
    const url = await server.createDatabase();
    await using fleet = await Fleet.open(url, { env: { HANDLER_MS: `${LONG_HANDLER_MS}` } });
    const { sandbox } = fleet;
    const left = () => server.query('select update_id from lastcall.updates', new URL(url).pathname.slice(1));
    // What it asks for tells its polls from those of others.
    const frozen = await fleet.join({ ipc: true, env: { ALLOWED_UPDATES: 'message' } });
    const pollsOfFrozen = () =>
      sandbox
        .calls({ method: 'getUpdates' })
        .filter(({ parameters }) => `${parameters['allowed_updates']}`.includes('message')).length;
    const [held] = sandbox.say({ chat: HELD_CHAT, text: 'hold' });
    const isHeld = ({ event, updateId }: LogLine) => event === 'test.begun' && updateId === held;
    await frozen.waitFor(isHeld);
    const other = await fleet.join({ ipc: true });
    fleet.say(4);
    await sandbox.waitFor(() => sandbox.unanswered < FLEET_CHATS * 3, 10_000);
    await allBegun(frozen);
    const pollsBefore = pollsOfFrozen();
    frozen.kill('SIGSTOP');
    const frozenAt = Date.now();
    const began = await Promise.all([other.waitFor('poll.started'), other.waitFor(isHeld)]);
    expect(Math.max(...began.map(timeOf)) - frozenAt).toBeLessThan(6_000);
    await sandbox.waitFor(() => sandbox.unanswered === 1, 10_000);
    while (Date.now() < frozenAt + FREEZE_MS) await sandbox.ask('and you?');

    // What it was running ends as soon as it wakes.
    frozen.child.send('go on');
    const wokenAt = Date.now();
    frozen.kill('SIGCONT');
    await frozen.waitFor('inbox.host-lost');
    await frozen.waitFor('inbox.standing-by');
    await sandbox.waitFor(() => sandbox.exchanges(HELD_CHAT)[0]?.answers.length === 1);
    const end = frozen.lines.findIndex(({ event }) => event === 'inbox.standing-by');
    const woken = frozen.lines.slice(0, end).filter((line) => timeOf(line) >= wokenAt);
    expect(woken.filter(({ event }) => event === 'test.begun' || event?.startsWith('poll.'))).toEqual([]);
    expect(pollsOfFrozen()).toBe(pollsBefore);
    expect(await left()).toEqual([{ update_id: `${held}` }]);
    other.child.send('go on');

    // It is one of those that handle.
    fleet.say(2);
    await allAnswered(sandbox);
    const { twice, ...rest } = mishaps(sandbox);
    expect(rest).toEqual({ lost: 0, outOfOrder: 0 });
    expect(twice).toBeLessThanOrEqual(FLEET_CHATS + 1);
    for (const daemon of [frozen, other]) expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(await left()).toEqual([]);
  });
});
