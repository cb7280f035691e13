/**
 * Many processes at work on the same lanes at once, some of which are killed: accepting, claiming, settling, giving back and
 * freeing the dead lock the same rows all the time. There is no deadlock, nothing is lost, each chat keeps its order, and
 * nothing settles twice.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { backgroundClock } from '../../../src/clock.js';
import type { InboxEvent } from '../../../src/inbox/events.js';
import type { Entry } from '../../../src/inbox/inbox.js';
import { PostgresInbox } from '../../../src/inbox/postgres/postgres-inbox.js';
import { seededRandom } from '../../../src/sandbox/seeded-random.js';
import { PostgresServer } from '../../support/postgres.js';
import { ProcessLink } from './inbox-rig.js';

interface Update {
  readonly update_id: number;
  readonly chat: number;
}

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
}, 60_000);
afterAll(() => server.stop());

const HOSTS = 4;
const CHATS = 30;
const BATCH = 50;
const UPDATES = Number(process.env['STRESS_UPDATES'] ?? 4_000);
const LEASE_MS = 1_500;

/** What happened to all updates, in the order in which it happened. */
class Record {
  readonly begun: Update[] = [];
  readonly ended = new Map<number, number>();
  readonly wrong: unknown[] = [];
  /** The chats that are at work, each in which process. */
  readonly atWork = new Map<number, Host>();
}

class Host {
  readonly link: ProcessLink;
  readonly inbox: PostgresInbox<Update>;
  readonly #record: Record;
  readonly #random: () => number;
  #isDead = false;

  constructor(url: string, record: Record, random: () => number) {
    this.#record = record;
    this.#random = random;
    this.link = new ProcessLink(url);
    this.inbox = new PostgresInbox<Update>({
      bot: 'a bot',
      place: 'here',
      path: 'a database',
      createDriver: this.link.createDriver,
      keyOf: ({ chat }) => `${chat}`,
      kindOf: () => 'message',
      clock: backgroundClock,
      leaseMs: LEASE_MS,
      maxAttempts: 0,
      concurrency: 20,
      limit: 1_000_000,
      restore: (content) => content as Update,
      errorText: String,
      available: () => this.#work(),
      emit: (event) => this.#told(event),
    });
  }

  kill(): void {
    this.#isDead = true;
    this.link.kill();
    for (const [chat, host] of this.#record.atWork) if (host === this) this.#record.atWork.delete(chat);
  }

  #told(event: InboxEvent): void {
    if (event.event === 'inbox.failed' && !this.#isDead) this.#record.wrong.push(event);
  }

  #work(): void {
    if (this.#isDead) return;
    for (const entry of this.inbox.take(20)) void this.#handle(entry);
  }

  async #handle(entry: Entry<Update>): Promise<void> {
    const { begun, ended, atWork, wrong } = this.#record;
    const { chat } = entry.update;
    if (atWork.has(chat)) wrong.push({ besides: entry.update });
    atWork.set(chat, this);
    begun.push(entry.update);
    await sleep(this.#random() * 5);
    if (this.#isDead) return;
    atWork.delete(chat);
    if (this.#random() < 0.05) {
      this.inbox.putBack(entry, { delayMs: this.#random() * 20, isRetry: false });
    } else {
      ended.set(entry.updateId, (ended.get(entry.updateId) ?? 0) + 1);
      this.inbox.settle(entry, this.#random() < 0.02 ? 'failed' : 'handled');
    }
    this.#work();
  }
}

/** Accepts all updates in turn, whoever has the turn. */
async function accept(host: Host, queue: Update[], signal: AbortSignal): Promise<void> {
  while (queue.length > 0 && !signal.aborted) {
    const turn = await host.inbox.nextTurn(signal);
    while (queue.length > 0 && !turn.signal.aborted && !signal.aborted) {
      const batch = queue.slice(0, BATCH);
      const offset = await host.inbox.accept(batch);
      if (offset !== undefined && !signal.aborted) queue.splice(0, batch.length);
    }
    await turn.end();
  }
}

describe('many processes on the same lanes', () => {
  it('never wait for each other in a circle, and lose and confuse nothing', async () => {
    const url = await server.createDatabase();
    const random = seededRandom(7);
    const record = new Record();
    const all = Array.from({ length: UPDATES }, (_, index) => ({
      update_id: 1_000 + index,
      chat: 1 + Math.floor(random() * CHATS),
    }));
    const queue = [...all];
    const begin = async () => {
      const host = new Host(url, record, random);
      await host.inbox.open();
      const end = new AbortController();
      void accept(host, queue, end.signal).catch(() => {});
      return { host, end };
    };
    const hosts = await Promise.all(Array.from({ length: HOSTS }, begin));
    for (let kills = 0; kills < 3; kills++) {
      await sleep(700);
      const [victim] = hosts.splice(kills % hosts.length, 1);
      victim?.end.abort(new Error('killed'));
      victim?.host.kill();
      hosts.push(await begin());
    }
    const until = Date.now() + 40_000;
    while (record.ended.size < UPDATES && Date.now() < until) await sleep(50);
    for (const { host, end } of hosts) {
      end.abort(new Error('the end'));
      await host.inbox.close();
    }
    expect(all.filter(({ update_id: id }) => !record.ended.has(id))).toEqual([]);
    expect(record.wrong).toEqual([]);
    // In each chat an update begins only once those before it have begun.
    for (let chat = 1; chat <= CHATS; chat++) {
      const ids = record.begun.filter((update) => update.chat === chat).map(({ update_id: id }) => id);
      const firsts = ids.filter((id, index) => ids.indexOf(id) === index);
      expect(firsts).toEqual([...firsts].sort((one, other) => one - other));
    }
    const [found] = await server.query(
      `select (select deadlocks from pg_stat_database where datname = 'test_1')::int as deadlocks,
        (select count(*) from lastcall.updates)::int as updates, (select count(*) from lastcall.lanes)::int as lanes`,
      'test_1',
    );
    expect(found).toEqual({ deadlocks: 0, updates: 0, lanes: 0 });
  }, 90_000);
});
