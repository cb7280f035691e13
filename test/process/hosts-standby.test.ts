/**
 * A fail-over: the server of the database is gone for good, together with the host that polled, and its standby takes its
 * place. With a synchronous standby nothing is lost that Telegram was told to forget; with another one, what the standby
 * has not got yet is, as the start of each process has said.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, jest } from '@jest/globals';
import type { LogLine } from '../support/daemon.js';
import { allAnswered, mishaps } from '../support/delivery.js';
import { Fleet } from '../support/fleet.js';
import { PostgresServer } from '../support/postgres.js';
import { Route } from '../support/route.js';

jest.setTimeout(120_000);

const HELD_CHAT = 99;
/** What is not confirmed within this time waits for something. */
const CONFIRMED_WITHIN_MS = 1_500;

async function openServers(isSynchronous: boolean) {
  const primary = await PostgresServer.start({ settings: { fsync: 'on' } });
  const url = await primary.createDatabase();
  const replication = await Route.open(primary.port);
  const standby = await primary.createStandby('standby', replication.port);
  if (isSynchronous) {
    await primary.query("alter system set synchronous_standby_names = 'standby'");
    await primary.query('select pg_reload_conf()');
  }
  const route = await Route.open(primary.port);
  return {
    primary,
    standby,
    /** The way from the primary to its standby. */
    replication,
    url: url.replace(`:${primary.port}`, `:${route.port}`),
    async failOver() {
      await primary.halt('immediate');
      replication.lead(0);
      await standby.query('select pg_promote()');
      route.lead(standby.port);
    },
    async [Symbol.asyncDispose]() {
      await route[Symbol.asyncDispose]();
      await standby.stop();
      await replication[Symbol.asyncDispose]();
      await primary.stop();
    },
  };
}

async function left(server: PostgresServer): Promise<unknown> {
  const [found] = await server.query('select count(*)::int as updates from lastcall.updates', 'test_1');
  return found?.['updates'];
}

it.each([
  ['synchronous', true, { survives: 'fail-over' }, 0],
  ['asynchronous', false, { survives: 'power', except: expect.stringContaining('a fail-over loses') }, 1],
] as const)('a standby that is %s', async (_, isSynchronous, said, lost) => {
  await using servers = await openServers(isSynchronous);
  const { primary, standby, replication } = servers;
  await using fleet = await Fleet.open(servers.url);
  const { sandbox } = fleet;
  const first = await fleet.join({ ipc: true });
  expect(await first.waitFor('inbox.opened')).toMatchObject(said);
  fleet.say(2);
  await allAnswered(sandbox);
  await sandbox.waitFor(() => sandbox.state().queued === 0);
  while ((await left(standby)) !== 0) await sleep(20);

  // What comes now does not get as far as the standby.
  replication.hold();
  const [held] = sandbox.say({ chat: HELD_CHAT, text: 'hold' });
  const isHeld = ({ event, updateId }: LogLine) => event === 'test.begun' && updateId === held;
  if (isSynchronous) {
    await sleep(CONFIRMED_WITHIN_MS);
    // Where its session is ended, the primary has it all the same, which is no reason to confirm it.
    const ended = await primary.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and query like '%fence%'",
    );
    expect(ended).toHaveLength(1);
    await sleep(CONFIRMED_WITHIN_MS);
    expect(sandbox.state().queued).toBe(1);
    // Nor is it after a crash.
    await primary.restart('immediate');
    await first.waitFor('inbox.reachable');
    await sleep(CONFIRMED_WITHIN_MS);
    expect(sandbox.state().queued).toBe(1);
  } else {
    await first.waitFor(isHeld);
    await sandbox.waitFor(() => sandbox.state().queued === 0);
  }
  await first.stop('SIGKILL');
  await servers.failOver();

  const next = await fleet.join({ ipc: true });
  await next.waitFor('poll.started');
  fleet.say(1);
  if (isSynchronous) {
    await next.waitFor(isHeld);
    next.child.send('go on');
  }
  await sandbox.waitFor(() => sandbox.unanswered === lost, 20_000);
  expect(mishaps(sandbox)).toEqual({ lost, twice: 0, outOfOrder: 0 });
  expect(sandbox.state().queued).toBe(0);
  expect(await next.stop()).toMatchObject({ code: 0 });
  expect(await left(standby)).toBe(0);
});
