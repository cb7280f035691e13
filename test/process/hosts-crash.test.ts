/**
 * Three processes with one bot and one database, under load, while processes are killed and stand still, the server of the
 * database crashes, and the network of one of them is cut, at moments nobody chose: no update is lost, the order of each
 * chat is kept, and only what was at work, or had just ended, is handled twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, jest } from '@jest/globals';
import { seededRandom } from '../../src/sandbox/seeded-random.js';
import { Cable, whyNoCable } from '../support/cable.js';
import type { Daemon } from '../support/daemon.js';
import { allAnswered, type BotOptions, mishaps } from '../support/delivery.js';
import { Fleet } from '../support/fleet.js';
import { PostgresServer } from '../support/postgres.js';
import { type Disturbance, repeats } from '../support/repeats.js';

/** HOST_KILLS=1000 for a long run, in which what stands still does so for up to 20 s. */
const KILLS = Number(process.env['HOST_KILLS'] ?? 100);
const isLong = KILLS > 100;
const LONGEST_FREEZE_MS = isLong ? 20_000 : 7_000;
const LONGEST_CUT_MS = isLong ? 20_000 : 7_000;
/** Every process is back, and has written what it had to, so long after the database is. */
const RECONNECTED_WITHIN_MS = 6_000;
/** The others take longer than a kill, most of it waiting. */
const FREEZES = Math.ceil(KILLS / (isLong ? 16 : 34));
const CUTS = Math.ceil(KILLS / (isLong ? 40 : 50));
const CRASHES = CUTS;

jest.setTimeout(120_000 + KILLS * 6_000);

interface Slot {
  daemon: Daemon;
  /** Whether it is to be left alone. */
  isDisturbed: boolean;
  readonly options: BotOptions;
}

const reasonWithoutCable = whyNoCable();
if (reasonWithoutCable !== undefined) process.stdout.write(`no network is cut: ${reasonWithoutCable}\n`);

it('loses nothing, keeps the order of each chat, and repeats only what was at work', async () => {
  const random = seededRandom(KILLS);
  await using server = await PostgresServer.start({
    settings: { fsync: 'on' },
    listenAddresses: '*',
    files: { 'pg_hba.conf': 'host all all all scram-sha-256\n' },
  });
  await using cable = reasonWithoutCable === undefined ? await Cable.open() : undefined;
  const url = await server.createDatabase();
  await using fleet = await Fleet.open(url);
  const { sandbox } = fleet;

  const start = async (options: BotOptions): Promise<Slot> => ({
    daemon: await fleet.join(options),
    isDisturbed: false,
    options,
  });
  const slots = [
    await start({}),
    await start({}),
    await start(cable ? await atFarEnd(cable, fleet, url) : {}),
  ];
  const [, , far] = slots;

  const disturbances: Disturbance[] = [];
  const disturb = (daemon?: Daemon): Disturbance => {
    const one = { daemon, fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY };
    disturbances.push(one);
    return one;
  };
  /** Disturbs a process for a while, during which it is not killed. */
  const hold = async (slot: Slot, ms: number, begin: () => void, end: () => void): Promise<void> => {
    slot.isDisturbed = true;
    const one = disturb(slot.daemon);
    begin();
    await sleep(ms);
    end();
    one.untilMs = Date.now();
    slot.isDisturbed = false;
  };
  const pick = (): Slot | undefined => {
    const free = slots.filter(({ isDisturbed }) => !isDisturbed);
    return free[Math.floor(random() * free.length)];
  };
  const freeze = async (): Promise<void> => {
    const slot = pick();
    if (!slot) return;
    const { daemon } = slot;
    const ms = 1_000 + random() * (LONGEST_FREEZE_MS - 1_000);
    await hold(
      slot,
      ms,
      () => daemon.kill('SIGSTOP'),
      () => daemon.kill('SIGCONT'),
    );
  };
  const cut = async (): Promise<void> => {
    if (!cable || !far || far.isDisturbed) return;
    const ms = 1_000 + random() * (LONGEST_CUT_MS - 1_000);
    await hold(
      far,
      ms,
      () => cable.cut(),
      () => cable.mend(),
    );
  };
  const crash = async (): Promise<void> => {
    const one = disturb();
    await server.restart('immediate');
    one.untilMs = Date.now() + RECONNECTED_WITHIN_MS;
  };
  const kill = async (): Promise<void> => {
    const slot = pick();
    if (!slot) return;
    slot.isDisturbed = true;
    disturb(slot.daemon);
    await slot.daemon.stop('SIGKILL');
    slot.daemon = await fleet.join(slot.options);
    slot.isDisturbed = false;
  };

  const underWay: Promise<void>[] = [];
  const others = shuffle(random, [
    ...Array.from({ length: FREEZES }, () => freeze),
    ...Array.from({ length: CUTS }, () => cut),
    ...Array.from({ length: CRASHES }, () => crash),
  ]);
  const every = KILLS / others.length;
  for (let kills = 0; kills < KILLS; kills++) {
    // Not more than can be handled: what a killed process had waits for its lease to end.
    fleet.say(1);
    await sleep(random() * 200);
    if (Math.floor(kills / every) !== Math.floor((kills - 1) / every))
      underWay.push((others.pop() ?? kill)());
    await kill();
  }
  await Promise.all(underWay);
  fleet.say(1);
  await allAnswered(sandbox, 60_000);
  for (const slot of slots) {
    const { code } = await slot.daemon.stop();
    // Answers on their way when the cable was cut may still be waited for.
    if (code !== 0 && slot !== far)
      throw new Error(`a stop with ${code}: ${JSON.stringify(slot.daemon.receipt)}`);
  }

  const { lost, twice, outOfOrder } = mishaps(sandbox);
  const { repeated, unexplained } = repeats(sandbox, fleet.daemons, disturbances);
  const { said } = sandbox.report();
  process.stdout.write(
    `${KILLS} kills, ${FREEZES} freezes, ${cable ? CUTS : 0} cuts, ${CRASHES} crashes of the database; ${said} updates: ` +
      `lost ${lost}, out of order ${outOfOrder}, begun again ${repeated}, answered twice ${twice}\n`,
  );
  expect({ lost, outOfOrder, unexplained }).toEqual({ lost: 0, outOfOrder: 0, unexplained: [] });
  const [left] = await server.query(
    'select (select count(*) from lastcall.updates)::int as updates, (select count(*) from lastcall.lanes)::int as lanes, ' +
      '(select count(*) from lastcall.dead_letters)::int as dead',
    new URL(url).pathname.slice(1),
  );
  expect(left).toEqual({ updates: 0, lanes: 0, dead: 0 });
});

/** The options of a process that reaches everything by a cable. */
async function atFarEnd(cable: Cable, { sandbox }: Fleet, url: string): Promise<BotOptions> {
  const { port } = new URL(sandbox.apiRoot);
  const env = {
    INBOX: url.replace('127.0.0.1', cable.address),
    TELEGRAM_API_ROOT: `http://${await cable.relay(Number(port))}`,
  };
  return { entering: cable.entering, env };
}

function shuffle<T>(random: () => number, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item);
}
