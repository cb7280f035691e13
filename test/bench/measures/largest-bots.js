/**
 * What the largest bots need of a database. Telegram answers a poll with at most 100 updates, and the next poll confirms
 * them: so a bot gets no more than 100 updates a round trip, each of which includes the transaction that accepts the batch.
 * Here one bot after the other is added to a database, each as busy as it can be, until the machine has no more to give.
 */
import { availableParallelism } from 'node:os';
import { atMost } from '../figures.js';
import { BenchDatabase } from '../hosts/database.js';
import { Fleet } from '../hosts/fleet.js';
import { BATCH } from '../messages.js';

/** From a host in Europe to Telegram's servers and back. */
const ROUND_TRIP_MS = 50;
const CHATS = 10_000;
const MOST_BOTS = 4;
/** What a bot could have in a second, if its batches took no time. */
const LIMIT = (BATCH / ROUND_TRIP_MS) * 1_000;

export async function* largestBots(sizes) {
  const database = await BenchDatabase.start();
  try {
    for (let bots = 1; bots <= MOST_BOTS; bots *= 2) yield await together(database, bots, sizes);
  } finally {
    await database.stop();
  }
}

async function together(database, bots, { batchesOfBot }) {
  await database.renew();
  const count = batchesOfBot * BATCH;
  const fleets = [];
  try {
    for (let bot = 1; bot <= bots; bot++)
      fleets.push(await Fleet.start(1, { url: database.url, bot: `bot ${bot}` }));
    await Promise.all(fleets.map((fleet) => fleet.startHandling()));
    const usedMs = database.cpuMs();
    const from = performance.now();
    await Promise.all(
      fleets.map(async (fleet) => {
        await fleet.accept({ count, chats: CHATS, roundTripMs: ROUND_TRIP_MS });
        await fleet.allHandled();
      }),
    );
    const seconds = (performance.now() - from) / 1_000;
    return rowOf(bots, (bots * count) / seconds, (database.cpuMs() - usedMs) / (bots * count));
  } finally {
    await Promise.all(fleets.map((fleet) => fleet.end()));
  }
}

const rowOf = (bots, perSecond, databaseMs) => ({
  name: `${bots} bot${bots === 1 ? '' : 's'} on one database, ${ROUND_TRIP_MS} ms from Telegram`,
  unit: '/s',
  figures: { lastcall: perSecond },
  notes: [
    `${(perSecond / bots).toFixed(0)} each; the database uses ${databaseMs.toFixed(3)} ms CPU an update: ` +
      `${((databaseMs * perSecond) / 1_000).toFixed(2)} of ${availableParallelism()} cores, ` +
      `and ${(1_000 / databaseMs).toFixed(0)} updates a second a core`,
  ],
  bounds: [
    atMost('a bot that gets all it can, of a core of the database', (databaseMs * LIMIT) / 1_000, 0.4),
  ],
});
