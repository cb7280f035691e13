/** Who has which updates, and what becomes of them when a process ends, stands still, or loses the database. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { backgroundClock } from '../../../src/clock.js';
import type { InboxEvent } from '../../../src/inbox/events.js';
import type { Entry } from '../../../src/inbox/inbox.js';
import type { PostgresOptions } from '../../../src/inbox/postgres/options.js';
import { PostgresInbox } from '../../../src/inbox/postgres/postgres-inbox.js';
import { claim } from '../../../src/inbox/postgres/statements/claims.js';
import { PostgresServer } from '../../support/postgres.js';
import { ProcessLink } from './inbox-rig.js';

interface Update {
  readonly update_id: number;
  readonly chat: number;
  readonly album?: string;
}

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
}, 60_000);
afterAll(async () => {
  for (const process of processes) process.cut();
  await Promise.all(processes.map(({ inbox }) => inbox.close()));
  await server.stop();
}, 20_000);

let url = '';
const processes: Process[] = [];
beforeEach(async () => {
  url = await server.createDatabase();
});

afterEach(() => {
  // A server has a hundred connections.
  for (const process of processes) process.cut();
});

const database = () => new URL(url).pathname.slice(1);
const query = (statement: string) => server.query(statement, database());

/** Waits for something that comes in moments. */
async function until(isSo: () => boolean | Promise<boolean>, patienceMs = 8_000): Promise<void> {
  for (const end = Date.now() + patienceMs; !(await isSo()); await sleep(5))
    if (Date.now() > end) throw new Error(`not within ${patienceMs} ms: ${isSo}`);
}

/** For what is about leases. Otherwise a lease lasts for as long as the test, however busy the machine is. */
const LEASE_MS = 1_500;
const LONG_MS = 60_000;

const SESSIONS = `count(*)::int as sessions from pg_stat_activity
  where datname = current_database() and application_name = 'lastcall'`;

class Process {
  readonly link: ProcessLink;
  readonly inbox: PostgresInbox<Update>;
  readonly events: InboxEvent[] = [];
  readonly taken: Entry<Update>[] = [];
  /** Whether what is available is taken. */
  takes = true;

  constructor(options: Partial<PostgresOptions<Update>> = {}, as = url) {
    this.link = new ProcessLink(as);
    this.inbox = new PostgresInbox<Update>({
      bot: 'a bot',
      place: 'here',
      path: 'a database',
      createDriver: this.link.createDriver,
      keyOf: ({ chat }) => `${chat}`,
      groupOf: ({ album }) => album,
      kindOf: () => 'message',
      clock: backgroundClock,
      leaseMs: LONG_MS,
      maxAttempts: 3,
      concurrency: 20,
      limit: 1_000,
      restore: (content) => content as Update,
      errorText: String,
      available: () => this.take(),
      emit: (event) => this.events.push(event),
      ...options,
    });
    processes.push(this);
  }

  async open(): Promise<this> {
    await this.inbox.open();
    return this;
  }

  async poll(...updates: Update[]): Promise<number | undefined> {
    await this.inbox.nextTurn(AbortSignal.timeout(5_000));
    return this.inbox.accept(updates);
  }

  take(): void {
    if (this.takes) this.taken.push(...this.inbox.take(20));
  }

  /** The handler of an update has ended. */
  end(id: number): void {
    this.inbox.settle(this.entry(id), 'handled');
    this.take();
  }

  /** The ids of what was taken. */
  get ids(): readonly number[] {
    return this.taken.map(({ updateId }) => updateId);
  }

  entry(id: number): Entry<Update> {
    const entry = this.taken.findLast(({ updateId }) => updateId === id);
    if (!entry) throw new Error(`${id} was not taken`);
    return entry;
  }

  told(name: InboxEvent['event']): readonly InboxEvent[] {
    return this.events.filter(({ event }) => event === name);
  }

  /** Everything that was asked of the database has come back. */
  async isQuiet(): Promise<void> {
    await until(() => !this.link.isAtWork);
  }

  cut(): void {
    this.takes = false;
    this.link.kill();
  }

  /** Ends all at once, and long enough ago for its lease to have ended. */
  async kill(): Promise<void> {
    this.cut();
    // What the server is still at may hold locks, for moments.
    await until(async () => (await query(`select ${SESSIONS}`))[0]?.['sessions'] === 0);
    await query('update lastcall.hosts set lease_ms = 0');
  }
}

const short = { leaseMs: LEASE_MS };

async function left(): Promise<readonly unknown[]> {
  const rows = await query('select update_id::int as id from lastcall.updates order by seq');
  return rows.map(({ id }) => id);
}

const dead = async () =>
  (await query('select update_id::int as id, why, attempts from lastcall.dead_letters order by seq')).map(
    ({ id, why, attempts }) => [id, why, attempts],
  );
const running = async () =>
  (await query('select coalesce(sum(cardinality(running)), 0)::int as n from lastcall.hosts'))[0]?.['n'];

describe('an update of which processes die', () => {
  it('is given up, and nothing that was beside it, however early it kills', async () => {
    const first = await new Process().open();
    await first.poll({ update_id: 1, chat: 1 }, { update_id: 2, chat: 2 }, { update_id: 3, chat: 3 });
    await first.kill();
    for (let death = 1; death <= 8 && (await left()).includes(2); death++) {
      const process: Process = new Process({
        available: () => {
          for (const entry of process.inbox.take(20)) {
            process.taken.push(entry);
            // Before its mark can be written.
            if (entry.updateId === 2) process.link.kill();
            else if (death >= 3) process.inbox.settle(entry, 'handled');
          }
        },
      });
      await process.inbox.open().catch(() => {});
      await until(() => process.ids.includes(2) || process.told('inbox.dead').length > 0);
      await process.kill();
    }
    expect(await dead()).toEqual([[2, 'died', 3]]);
  }, 30_000);

  it('counts a death only where it was at work', async () => {
    const first = await new Process().open();
    await first.poll({ update_id: 1, chat: 1 }, { update_id: 2, chat: 1 }, { update_id: 3, chat: 2 });
    await until(async () => first.ids.length === 2 && (await running()) === 2);
    await first.kill();
    const second = await new Process().open();
    await until(() => second.ids.length === 2);
    expect(second.entry(1).attempt).toBe(2);
    second.end(1);
    await until(() => second.ids.includes(2));
    expect(second.entry(2).attempt).toBe(1);
    expect(second.told('inbox.host-freed')).toEqual([
      { event: 'inbox.host-freed', place: 'here', running: 2 },
    ]);
  });

  it('runs with no other suspect beside it', async () => {
    const first = await new Process().open();
    await first.poll({ update_id: 1, chat: 1 }, { update_id: 2, chat: 2 }, { update_id: 3, chat: 3 });
    await first.kill();
    await query('update lastcall.updates set deaths = 2, attempts = 2 where update_id < 3');
    const second = await new Process().open();
    await until(() => second.ids.length === 2);
    await second.isQuiet();
    expect([...second.ids].sort()).toEqual([1, 3]);
    second.end(1);
    await until(() => second.ids.includes(2));
    // Its mark was written before it began.
    expect(await running()).toBeGreaterThan(0);
  });
});

describe('a process that stands still', () => {
  it('settles and begins nothing of what it had, and accepts nothing', async () => {
    const first = await new Process(short).open();
    await first.poll({ update_id: 1, chat: 1 }, { update_id: 2, chat: 2 }, { update_id: 3, chat: 1 });
    await until(async () => first.ids.length === 2 && (await running()) === 2);
    const turn = first.inbox;
    first.link.hold();
    await sleep(LEASE_MS);
    // By its own clock it knows before the others do.
    first.takes = false;
    expect(first.inbox.hasReady).toBe(false);
    const second = await new Process(short).open();
    await until(() => second.ids.length === 2);
    first.end(1);
    const accepted = turn.accept([{ update_id: 4, chat: 4 }]);
    first.link.release();
    expect(await accepted).toBeUndefined();
    await until(() => first.told('inbox.host-lost').length === 1);
    expect(await left()).toEqual([1, 2, 3]);
    expect(first.told('inbox.turn-lost')).toHaveLength(1);
    second.end(1);
    await until(() => second.ids.includes(3));
  });
});

describe('a batch', () => {
  it('is taken once, though it is not known whether it was', async () => {
    const process = await new Process().open();
    await process.inbox.nextTurn(AbortSignal.timeout(5_000));
    const batch = [
      { update_id: 1, chat: 1 },
      { update_id: 2, chat: 2 },
    ];
    // The answer of the database is lost.
    process.link.loseAnswer('accept');
    expect(await process.inbox.accept(batch)).toBe(3);
    expect(await left()).toEqual([1, 2]);
    expect(await process.inbox.accept([{ update_id: 3, chat: 3 }])).toBe(4);
    expect(await left()).toEqual([1, 2, 3]);
  });

  it('is taken by nobody whose turn is over', async () => {
    const first = await new Process().open();
    await first.poll({ update_id: 1, chat: 1 });
    await query('update lastcall.pollers set epoch = epoch + 1');
    expect(await first.inbox.accept([{ update_id: 2, chat: 1 }])).toBeUndefined();
    expect(await left()).toEqual([1]);
    expect(first.told('inbox.turn-lost')).toHaveLength(1);
  });

  it('is known again by whoever polls next', async () => {
    const first = await new Process().open();
    await first.poll({ update_id: 1, chat: 1 }, { update_id: 2, chat: 2 });
    await until(() => first.ids.length === 2);
    for (const entry of first.taken) first.inbox.settle(entry, 'handled');
    await first.inbox.close();
    const second = await new Process().open();
    expect(await second.poll({ update_id: 2, chat: 2 }, { update_id: 3, chat: 3 })).toBe(4);
    expect(await left()).toEqual([3]);
  });

  it('waits while the inbox is full', async () => {
    const process = await new Process({ limit: 2 }).open();
    await process.poll({ update_id: 1, chat: 1 }, { update_id: 2, chat: 2 });
    await until(() => process.ids.length === 2);
    const accepted = process.inbox.accept([{ update_id: 3, chat: 3 }]);
    await until(() => process.told('inbox.paused').length === 1);
    process.end(1);
    expect(await accepted).toBe(4);
    expect(process.told('inbox.resumed')).toHaveLength(1);
  });
});

describe('a stop', () => {
  it('gives back at once what is not at work, and counts what it cuts', async () => {
    const first = await new Process().open();
    await first.poll({ update_id: 1, chat: 1 }, { update_id: 2, chat: 1 }, { update_id: 3, chat: 2 });
    await until(() => first.ids.length === 2);
    const second = await new Process().open();
    first.inbox.drain();
    first.end(1);
    await until(() => second.ids.includes(2));
    const report = await first.inbox.close();
    expect(report).toEqual({ left: 2, mayRepeat: [3] });
    await until(() => second.ids.includes(3), 1_000);
    expect(second.entry(3).attempt).toBe(2);
    expect(await query('select deaths, cuts from lastcall.updates where update_id = 3')).toEqual([
      { deaths: 0, cuts: 1 },
    ]);
  });

  it('gives up what too many stops have cut', async () => {
    for (let stop = 1; stop <= 3; stop++) {
      const process = await new Process().open();
      if (stop === 1) await process.poll({ update_id: 1, chat: 1 });
      await until(() => process.ids.length === 1);
      process.inbox.drain();
      await process.inbox.close();
      if (stop === 3)
        expect(process.told('inbox.dead')).toMatchObject([{ updateId: 1, why: 'cut', deaths: 0, cuts: 3 }]);
    }
    expect(await dead()).toEqual([[1, 'cut', 3]]);
  });

  it('of which the end is a kill counts as a stop', async () => {
    const first = await new Process().open();
    await first.poll({ update_id: 1, chat: 1 });
    await until(async () => first.ids.length === 1 && (await running()) === 1);
    first.inbox.drain();
    await until(async () => (await query('select from lastcall.hosts where draining')).length === 1);
    await first.kill();
    const second = await new Process().open();
    await until(() => second.ids.length === 1);
    expect(await query('select deaths, cuts from lastcall.updates')).toEqual([{ deaths: 0, cuts: 1 }]);
  });
});

describe('a stop without an answer from the database', () => {
  /** Resolves to how long it took. */
  async function timeOf(work: Promise<unknown>): Promise<number> {
    const at = performance.now();
    await work;
    return performance.now() - at;
  }

  it('ends within its time, and tells what it could not write', async () => {
    const process = await new Process().open();
    await process.poll({ update_id: 1, chat: 1 });
    await until(() => process.ids.length === 1);
    await process.isQuiet();
    process.link.hold();
    process.end(1);
    process.inbox.drain();
    expect(await timeOf(process.inbox.close('stop', 300))).toBeLessThan(1_000);
    expect(await process.inbox.close()).toMatchObject({ mayRepeat: [1] });
  });

  it('does not wait for a database that is away where nothing is left to write', async () => {
    const process = await new Process().open();
    await process.poll({ update_id: 1, chat: 1 });
    await until(() => process.ids.length === 1);
    process.end(1);
    await until(async () => (await left()).length === 0);
    process.cut();
    await until(() => process.told('inbox.unreachable').length === 1);
    process.inbox.drain();
    expect(await timeOf(process.inbox.close())).toBeLessThan(1_000);
  });

  it('ends while it stands by', async () => {
    const first = await new Process().open();
    await first.inbox.nextTurn(AbortSignal.timeout(5_000));
    const process = await new Process().open();
    const stop = new AbortController();
    const turn = process.inbox.nextTurn(stop.signal);
    await until(() => process.told('inbox.standing-by').length === 1);
    process.link.holdAfter('watch');
    await until(() => process.link.isHeld);
    const rejected = expect(turn).rejects.toThrow('a stop');
    stop.abort(new Error('a stop'));
    expect(await timeOf(rejected)).toBeLessThan(1_000);
  });

  it('leaves no turn behind that begins only then', async () => {
    const process = await new Process().open();
    const stop = new AbortController();
    process.link.holdAfter('watch');
    const turn = process.inbox.nextTurn(stop.signal);
    await until(() => process.link.isHeld);
    stop.abort(new Error('a stop'));
    await expect(turn).rejects.toThrow('a stop');
    process.link.release();
    await until(async () => (await query('select from lastcall.pollers where host is null')).length === 1);
    expect(process.told('inbox.turn-began')).toEqual([]);
  });
});

describe('a database that goes away', () => {
  it('is told of what has settled meanwhile, and nothing begins without a lease', async () => {
    const process = await new Process(short).open();
    await process.poll({ update_id: 1, chat: 1 }, { update_id: 2, chat: 1 });
    await until(() => process.ids.length === 1);
    process.link.cutFor(LEASE_MS * 1.5);
    process.end(1);
    // What is here already may begin for as long as the lease is good.
    await until(() => process.ids.length === 2);
    process.inbox.settle(process.entry(2), 'failed', new Error('a reason'));
    await sleep(LEASE_MS);
    expect(process.inbox.hasReady).toBe(false);
    await until(async () => (await left()).length === 0);
    expect(await query('select why, error from lastcall.dead_letters')).toEqual([
      { why: 'failed', error: 'Error: a reason' },
    ]);
    expect(process.told('inbox.unreachable')).toHaveLength(1);
    await until(() => process.told('inbox.reachable').length === 1);
    expect(process.told('inbox.host-lost')).toEqual([]);
    expect(await process.poll({ update_id: 3, chat: 1 })).toBe(4);
    await until(() => process.ids.includes(3));
  });
});

describe('a server that was just started', () => {
  it('has nobody taken for dead who has given no sign of life since', async () => {
    const first = await new Process().open();
    await query("update lastcall.hosts set beat_at = '-infinity'");
    const second = await new Process().open();
    expect(second.told('inbox.host-freed')).toEqual([]);
    expect(await query('select from lastcall.hosts')).toHaveLength(2);
    expect(first.told('inbox.host-lost')).toEqual([]);
  });
});

describe('a claim whose answer is lost', () => {
  const lanes = () => query('select key, given::int from lastcall.lanes order by key');

  it('strands neither a lane nor the order in it', async () => {
    const process = await new Process().open();
    await process.isQuiet();
    process.link.loseAnswer('claim');
    await process.poll({ update_id: 1, chat: 1 }, { update_id: 2, chat: 2 });
    await until(() => process.told('inbox.reachable').length === 1);
    await process.poll({ update_id: 3, chat: 1 });
    await until(() => process.ids.length === 2);
    expect([...process.ids].sort()).toEqual([1, 2]);
    process.end(1);
    await until(() => process.ids.includes(3));
    process.end(2);
    process.end(3);
    await until(async () => (await left()).length === 0 && (await lanes()).length === 0);
  });

  it('strands nothing of a lane that is here', async () => {
    const process = await new Process().open();
    await process.poll({ update_id: 1, chat: 1 });
    await until(() => process.ids.length === 1);
    await process.isQuiet();
    process.link.loseAnswer('claim');
    await process.inbox.accept([{ update_id: 2, chat: 1 }]);
    await until(() => process.told('inbox.reachable').length === 1);
    process.end(1);
    await until(() => process.ids.includes(2));
    process.end(2);
    await until(async () => (await lanes()).length === 0);
    expect(await left()).toEqual([]);
  });

  it('takes nothing when it is carried out only after others', async () => {
    const process = await new Process().open();
    const [host] = await query('select id::int from lastcall.hosts');
    process.link.loseAnswer('claim');
    await process.poll({ update_id: 1, chat: 1 });
    await until(() => process.ids.length === 1);
    expect(await query('select claim_round::int from lastcall.hosts')).toEqual([{ claim_round: 1 }]);
    await process.isQuiet();
    await query('update lastcall.lanes set host = null, given = 0');
    const { name: _, text } = claim;
    const values = [`${host?.['id']}`, '32', "'{}'", '16', '0', '100'];
    const late = values.reduce((said, value, at) => said.replaceAll(`$${at + 1}`, value), text);
    expect(await query(`set search_path = lastcall; ${late}`)).toEqual([]);
  });
});

describe('a lane that goes back', () => {
  it('stays while an update of it is left', async () => {
    const process = await new Process().open();
    await query('alter table lastcall.updates alter column seq restart with 10');
    await process.poll({ update_id: 1, chat: 1 }, { update_id: 2, chat: 1 });
    await until(() => process.ids.length === 1);
    await process.isQuiet();
    // One that this process does not know of.
    await query(`insert into lastcall.updates (bot, seq, update_id, key, kind, content) overriding system value
      values ('a bot', 5, 7, '1', 'message', '{"update_id":7,"chat":1}')`);
    process.end(1);
    process.end(2);
    await until(() => process.ids.includes(7));
  });
});

describe('an album', () => {
  it('runs side by side, also where its messages come in several batches', async () => {
    const first = await new Process().open();
    await first.poll({ update_id: 1, chat: 1, album: 'a' });
    await until(() => first.ids.length === 1);
    await first.inbox.accept([
      { update_id: 2, chat: 1, album: 'a' },
      { update_id: 3, chat: 1 },
    ]);
    await until(() => first.ids.length === 2);
    await first.isQuiet();
    expect(first.ids).toEqual([1, 2]);
  });
});

describe('a key', () => {
  it('may be any text', async () => {
    const keys = ['a\0b', 'ü'.repeat(5_000), "'; drop table x; --", '{"a",NULL}', ''];
    const process = await new Process({ keyOf: ({ chat }) => keys[chat] ?? '' }).open();
    await process.poll(...keys.map((_, chat) => ({ update_id: chat + 1, chat })));
    await until(() => process.ids.length === keys.length);
  });
});

describe('the turn to poll', () => {
  const soon = () => AbortSignal.timeout(8_000);
  const locks = `select from pg_locks join pg_database d on d.oid = database
    where locktype = 'advisory' and granted and datname = current_database()`;

  it('is taken from a process that stands still, whose session is ended', async () => {
    const first = await new Process(short).open();
    await first.inbox.nextTurn(soon());
    const others = [await new Process(short).open(), await new Process(short).open()];
    first.link.hold();
    const turns = others.map((other) => other.inbox.nextTurn(soon()));
    const turn = await Promise.race(turns);
    expect(turn.hasWaited).toBe(true);
    expect(await query(locks)).toHaveLength(1);
    // The next in turn gets it within moments.
    const at = Date.now();
    await turn.end();
    await Promise.all(turns);
    expect(Date.now() - at).toBeLessThan(1_000);
    expect(others.flatMap((other) => other.told('inbox.unreachable'))).toEqual([]);
    first.link.release();
    await until(() => first.told('inbox.turn-lost').length === 1);
  });

  it('waits for the lock where another process has ended the session that had it just before', async () => {
    const first = await new Process(short).open();
    await first.inbox.nextTurn(soon());
    const second = await new Process(short).open();
    second.link.holdBefore('evict');
    first.link.hold();
    const turn = second.inbox.nextTurn(soon());
    await until(() => second.link.isHeld);
    // As a third one would that waits, too, and has found the same a moment ago.
    await query('select pg_terminate_backend(backend) from lastcall.pollers');
    await until(async () => (await query(locks)).length === 0);
    second.link.release();
    await turn;
    // Without it, the end of this process would not be noticed before its lease has ended.
    expect(await query(locks)).toHaveLength(1);
    first.link.release();
  });

  it('is taken by the lease alone where the role may not end the session that has the lock', async () => {
    const first = await new Process(short).open();
    await first.inbox.nextTurn(soon());
    await query(`create role worker login password 'secret-of-worker'; grant usage on schema lastcall to worker;
      grant select, insert, update, delete on all tables in schema lastcall to worker`);
    first.link.hold();
    const password = 'secret-of-worker';
    const second = new Process(short, server.url(database(), { user: 'worker', password }));
    await second.open();
    await second.inbox.nextTurn(soon());
    const holders = `select usename from pg_locks l join pg_stat_activity a using (pid)
      where locktype = 'advisory' and granted and datname = current_database()`;
    expect(await query(holders)).toEqual([{ usename: 'postgres' }]);
    expect(await second.inbox.accept([{ update_id: 1, chat: 1 }])).toBe(2);
    const accepted = first.inbox.accept([{ update_id: 2, chat: 2 }]);
    first.link.release();
    expect(await accepted).toBeUndefined();
    await until(() => first.told('inbox.turn-lost').length === 1);
    // That it still has the lock, or that this is free, is no reason to take the turn from a process that is alive.
    first.inbox.nextTurn(soon()).catch(() => {});
    const { done } = first.link;
    await until(() => first.told('inbox.standing-by').length === 1 && first.link.done > done + 20);
    await until(async () => (await query(holders)).length === 0);
    expect(await second.inbox.accept([{ update_id: 3, chat: 3 }])).toBe(4);
    expect(second.told('inbox.turn-lost')).toEqual([]);
    expect(await left()).toEqual([1, 3]);
    second.cut();
    await until(() => first.told('inbox.turn-began').length === 2);
  });

  it('is taken from a process that stands still as soon as it has the lock', async () => {
    const first = await new Process(short).open();
    first.link.holdAfter('watch');
    first.inbox.nextTurn(soon()).catch(() => {});
    await until(() => first.link.isHeld);
    const second = await new Process(short).open();
    // Before the first one misses the answer, and gives up its connection.
    await second.inbox.nextTurn(AbortSignal.timeout(4_000));
    first.link.release();
  });

  it('is taken by the lease alone, again and again, while a session that never ends has the lock', async () => {
    const first = await new Process(short).open();
    const turn = await first.inbox.nextTurn(soon());
    const [lock] = await query(`select classid, objid from pg_locks join pg_database d on d.oid = database
      where locktype = 'advisory' and granted and datname = current_database()`);
    const keeper = new pg.Client({ connectionString: url });
    await keeper.connect();
    try {
      const kept = keeper.query(
        `select pg_advisory_lock(${Number(lock?.['classid']) | 0}, ${Number(lock?.['objid']) | 0})`,
      );
      await until(async () => (await query('select from pg_locks where not granted')).length === 1);
      await turn.end();
      await kept;
      const second = await new Process(short).open();
      // The turn before has ended in good order.
      const secondTurn = await second.inbox.nextTurn(soon());
      expect(await second.inbox.accept([{ update_id: 1, chat: 1 }])).toBe(2);
      const third = await new Process(short).open();
      const thirdTurn = third.inbox.nextTurn(soon());
      await until(() => third.told('inbox.standing-by').length === 1);
      await secondTurn.end();
      await thirdTurn;
      expect(third.told('inbox.turn-began')).toHaveLength(1);
      // The session of the one before is gone.
      third.cut();
      await second.inbox.nextTurn(soon());
    } finally {
      await keeper.end();
    }
  }, 20_000);

  it('is free at once where the process was killed', async () => {
    const first = await new Process().open();
    await first.inbox.nextTurn(soon());
    const second = await new Process().open();
    const turn = second.inbox.nextTurn(soon());
    await until(() => second.told('inbox.standing-by').length === 1);
    first.cut();
    await turn;
    expect(second.told('inbox.turn-began')).toHaveLength(1);
  });

  it('ends by the clock of the process, before its lease does', async () => {
    const process = await new Process(short).open();
    const turn = await process.inbox.nextTurn(soon());
    process.link.hold();
    await until(() => turn.signal.aborted, 2 * LEASE_MS);
    process.link.release();
  });
});
