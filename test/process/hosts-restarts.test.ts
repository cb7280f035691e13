/** Hosts that are restarted one after the other, as in a deployment, while people go on writing. */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type Daemon, median } from '../support/daemon.js';
import { allAnswered, mishaps, noMishaps } from '../support/delivery.js';
import { FLEET_CHATS, Fleet, timeOf } from '../support/fleet.js';
import { PostgresServer } from '../support/postgres.js';

/** How often all hosts are restarted: ROLLS=10 for a long run. */
const ROLLS = Number(process.env['ROLLS'] ?? 2);
const HOSTS = 3;
/** Each of the chats is written to this often. */
const SAID_EVERY_MS = 150;

jest.setTimeout(60_000 + ROLLS * 30_000);

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start({ settings: { fsync: 'on' } });
});
afterAll(() => server.stop());

/**
 * The times between the end of the polls of one process and the first of the next, in milliseconds: Infinity where there is
 * none, but for the last process of all.
 */
function gapsBetweenPolls(daemons: readonly Daemon[]): number[] {
  const named = (name: string) =>
    daemons.flatMap(({ lines }) => lines.filter(({ event }) => event === name)).map(timeOf);
  const ends = daemons
    .filter(({ lines }) => lines.some(({ event }) => event === 'inbox.turn-began'))
    .flatMap(({ lines }) => lines.filter(({ event }) => event === 'poll.stopped'))
    .map(timeOf)
    .sort((a, b) => a - b);
  const begins = named('poll.started');
  return ends.slice(0, -1).map((end) => Math.min(...begins.filter((begin) => begin >= end)) - end);
}

it('lose nothing, do nothing twice, and somebody polls all the time', async () => {
  await using fleet = await Fleet.open(await server.createDatabase());
  const { sandbox } = fleet;
  const hosts: Daemon[] = [];
  for (let host = 0; host < HOSTS; host++) hosts.push(await fleet.join());
  // Not more than this machine can handle.
  const people = setInterval(() => {
    if (sandbox.unanswered < FLEET_CHATS * 4) fleet.say(1);
  }, SAID_EVERY_MS);
  try {
    for (let roll = 0; roll < ROLLS; roll++)
      for (const [host, daemon] of hosts.entries()) {
        expect(await daemon.stop()).toMatchObject({ code: 0 });
        expect(daemon.receipt['counts']).toMatchObject({ mayRepeat: 0 });
        hosts[host] = await fleet.join();
      }
  } finally {
    clearInterval(people);
  }
  await allAnswered(sandbox);
  for (const daemon of hosts) expect(await daemon.stop()).toMatchObject({ code: 0 });
  expect(mishaps(sandbox)).toEqual(noMishaps);
  expect(sandbox.state().conflicts).toBe(0);
  const gaps = gapsBetweenPolls(fleet.daemons);
  const { said } = sandbox.report();
  process.stdout.write(
    `${ROLLS * HOSTS} restarts, ${said} updates; ${gaps.length} times another process polled, ` +
      `after ${median(gaps)} ms (at most ${Math.max(...gaps)} ms)\n`,
  );
  expect(gaps.length).toBeGreaterThanOrEqual(ROLLS);
  // Once the machine may be busy with something else.
  expect(gaps.filter((ms) => ms > 500).length).toBeLessThanOrEqual(1);
  expect(Math.max(...gaps)).toBeLessThan(5_000);
});
