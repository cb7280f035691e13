/** The inbox of several hosts: how much three processes get done with one database, and how soon. */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast, atMost, byTurns, median, medianOfRounds } from '../figures.js';
import { throughDaemons } from '../hosts/daemons.js';
import { BenchDatabase } from '../hosts/database.js';
import { withFleet } from '../hosts/fleet.js';
import { watchMachine } from '../hosts/machine.js';
import { messages } from '../messages.js';

const HOSTS = 3;
const CHATS = 500;
const HANDLER_MS = 5;
/** How many updates wait in the small one of two backlogs. */
const FEW = 1_000;
const COMPUTING_MS = 20;
const IDLE_MS = 10_000;
/** Longer than an update takes by as much as a busy machine needs. */
const TRICKLE_MS = 40;

export async function* hosts(sizes) {
  const database = await BenchDatabase.start();
  try {
    yield* await arriving(database, sizes);
    yield await waiting(database, sizes);
    yield await throughTelegram(database, sizes);
    yield* await idle(database, sizes);
    yield await computing(database, sizes);
  } finally {
    await database.stop();
  }
}

/** What arrives while it is handled. */
async function arriving(database, { fleetUpdates: count, fleetRounds }) {
  const { load } = await byTurns(['load'], fleetRounds, () =>
    withFreshFleet(database, HOSTS, { handlerMs: HANDLER_MS }, async (fleet) => {
      await fleet.startHandling();
      // The first statements of a connection are prepared, and the tables are read once.
      await fleet.accept({ count: CHATS, chats: CHATS });
      await fleet.allHandled();
      const before = await usedBy(database, fleet);
      const shareLeft = watchMachine();
      const from = performance.now();
      const batches = fleet.accept({ count, chats: CHATS });
      await fleet.allHandled();
      const perSecond = (count / (performance.now() - from)) * 1_000;
      const batchMs = median(await batches);
      const after = await usedBy(database, fleet);
      const used = Object.fromEntries(Object.entries(after).map(([what, sum]) => [what, sum - before[what]]));
      const left = shareLeft(used.databaseMs + used.hostsMs);
      return {
        perSecond,
        batchMs,
        left,
        statements: used.statements / count,
        walBytes: used.walBytes / count,
        databaseMs: used.databaseMs / count,
        hostsMs: used.hostsMs / count,
      };
    }),
  );
  const of = (pick) => median(load.map(pick));
  const perSecond = of((round) => round.perSecond);
  const [databaseMs, hostsMs] = [of((round) => round.databaseMs), of((round) => round.hostsMs)];
  const cores = availableParallelism();
  const most = (cores / (databaseMs + hostsMs)) * 1_000;
  const rounds = load.map((round) => `${round.perSecond.toFixed(0)} (${percent(round.left)} of the machine)`);
  return [
    {
      name: `${HOSTS} hosts, ${count.toLocaleString('en')} arrive, ${HANDLER_MS} ms handlers`,
      unit: '/s',
      figures: { lastcall: perSecond },
      notes: [
        `by rounds: ${rounds.join(', ')}`,
        `a batch of 100 is in the database after ${of((round) => round.batchMs).toFixed(1)} ms`,
        `${of((round) => round.statements).toFixed(2)} statements and ${of((round) => round.walBytes).toFixed(0)} bytes of WAL an update`,
      ],
      bounds: [
        // What others do on the machine makes a round slower, and none faster.
        atLeast(
          'best round, by the share of the machine that there was',
          Math.max(...load.map((round) => round.perSecond / round.left)),
          6_000,
          '/s',
        ),
      ],
    },
    {
      name: '    CPU of the database, an update',
      unit: 'ms CPU',
      figures: { lastcall: databaseMs },
      notes: [
        `the hosts: ${hostsMs.toFixed(3)} ms; ${cores} cores that do nothing else do ${most.toFixed(0)} a second at most`,
      ],
      bounds: [atMost('database', databaseMs, 0.2, 'ms')],
    },
  ];
}

/** What waits when the handling begins: a large backlog does not slow it down. */
async function waiting(database, { fleetBacklog, fleetRounds }) {
  const sizes = { few: FEW, many: fleetBacklog };
  const found = await byTurns(Object.keys(sizes), Math.min(fleetRounds, 2), (size) =>
    withFreshFleet(database, HOSTS, { handlerMs: HANDLER_MS }, async (fleet) => {
      const count = sizes[size];
      await fleet.accept({ count, chats: CHATS });
      const from = performance.now();
      await fleet.startHandling();
      await fleet.allHandled();
      return (count / (performance.now() - from)) * 1_000;
    }),
  );
  return {
    name: `${HOSTS} hosts, ${fleetBacklog.toLocaleString('en')} waiting`,
    unit: '/s',
    figures: { lastcall: median(found.many) },
    notes: [`with ${FEW.toLocaleString('en')} waiting: ${median(found.few).toFixed(0)} /s`],
    bounds: [
      atLeast(
        'many waiting / few waiting',
        medianOfRounds(found, ({ many, few }) => many / few),
        1,
      ),
    ],
  };
}

/** The whole daemons: the intake is a batch a round trip. */
async function throughTelegram(database, { fleetUpdates, fleetRounds }) {
  const { load } = await byTurns(['load'], Math.min(fleetRounds, 3), async () => {
    await database.renew();
    const updates = messages(fleetUpdates, CHATS);
    return throughDaemons(database, { daemons: HOSTS, handlerMs: HANDLER_MS, updates });
  });
  return {
    name: `${HOSTS} daemons, ${fleetUpdates.toLocaleString('en')} from a sandbox`,
    unit: '/s',
    figures: { lastcall: (fleetUpdates / median(load)) * 1_000 },
    notes: ['Telegraf and the local Bot API server take their share of the same machine'],
    bounds: [],
  };
}

/** A fleet that has nothing to do but for single updates. */
async function idle(database, { idleUpdates }) {
  return withFreshFleet(database, HOSTS, {}, async (fleet) => {
    await fleet.startHandling();
    await fleet.trickle({ count: 20, chats: CHATS, everyMs: TRICKLE_MS });
    const arrivals = await fleet.trickle({ count: idleUpdates, chats: CHATS, everyMs: TRICKLE_MS });
    const [half, most] = [quantile(arrivals, 0.5), quantile(arrivals, 0.99)];
    const before = await database.statements();
    await sleep(IDLE_MS);
    const asked = (await database.statements()) - before;
    const perSecond = asked / (IDLE_MS / 1_000);
    return [
      {
        name: `${HOSTS} hosts, idle: from the fetch to the handler`,
        unit: 'ms',
        figures: { lastcall: half },
        notes: [],
        bounds: [atMost('median', half, 15, 'ms'), atMost('99 of 100', most, 80, 'ms')],
      },
      {
        name: `${HOSTS} hosts, idle: statements`,
        unit: '/s',
        figures: { lastcall: perSecond },
        notes: [],
        bounds: [atMost('statements a second', perSecond, 15)],
      },
    ];
  });
}

/**
 * Handlers that compute: hosts add up where there are cores for them. There may be none here, so the thread of a host stands
 * still instead, which keeps its event loop as busy and takes no core from the others.
 */
async function computing(database, { computedUpdates: count }) {
  const numbers = { one: 1, all: HOSTS };
  const found = await byTurns(Object.keys(numbers), 2, (number) =>
    withFreshFleet(database, numbers[number], { heldUpMs: COMPUTING_MS }, async (fleet) => {
      await fleet.startHandling();
      const from = performance.now();
      await fleet.accept({ count, chats: CHATS });
      await fleet.allHandled();
      return (count / (performance.now() - from)) * 1_000;
    }),
  );
  const ratio = medianOfRounds(found, ({ one, all }) => all / one);
  return {
    name: `${HOSTS} hosts held up for ${COMPUTING_MS} ms an update / one`,
    unit: '×',
    figures: { lastcall: ratio },
    notes: [`one: ${median(found.one).toFixed(0)} /s, ${HOSTS}: ${median(found.all).toFixed(0)} /s`],
    bounds: [atLeast(`${HOSTS} hosts / one`, ratio, 2.5)],
  };
}

async function withFreshFleet(database, number, options, measure) {
  await database.renew();
  return withFleet(number, { url: database.url, ...options }, measure);
}

const usedBy = async (database, fleet) => ({
  databaseMs: database.cpuMs(),
  hostsMs: await fleet.cpuMs(),
  statements: await database.statements(),
  walBytes: await database.walBytes(),
});

const quantile = (figures, share) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length * share)];

const percent = (share) => `${(share * 100).toFixed(0)} %`;
