/** A session over connections that do what a test says. */
import { expect, test } from '@jest/globals';
import type { Connect, ConnectionListener } from '../../../src/inbox/postgres/connection.js';
import { Session } from '../../../src/inbox/postgres/session.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

/** Connections whose statements end when they are told to. */
class Server {
  readonly asked: { readonly text: string; answer(): void; fail(error: Error): void }[] = [];
  ends = 0;
  isAway = false;

  readonly connect: Connect = async (listener: ConnectionListener) => {
    if (this.isAway) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const close = () => {
      this.ends++;
      listener.closed(new Error('Connection terminated'));
    };
    return {
      run: ({ text }) =>
        new Promise((resolve, reject) => {
          this.asked.push({ text, answer: () => resolve([]), fail: reject });
        }),
      end: async () => close(),
      destroy: close,
    };
  };
}

const setUp = async ({ query }: Pick<Session, 'query'>) => void (await query({ text: 'set up' }));

test('ends though it is closed while a connection is made ready', async () => {
  const server = new Server();
  const session = new Session({ name: 'work', connect: server.connect, clock: new FakeClock(), setUp });
  const opening = session.open();
  opening.catch(() => {});
  await settle();
  const closing = session.close();
  server.asked[0]?.answer();
  await closing;
  expect(server.ends).toBe(1);
  await expect(opening).rejects.toThrow('closed by lastcall');
});

test.each(['a connection that is made ready', 'a statement'])(
  'gives up %s when its end may take no longer',
  async (what) => {
    const server = new Server();
    const clock = new FakeClock();
    const session = new Session({
      name: 'work',
      connect: server.connect,
      clock,
      ...(what !== 'a statement' && { setUp }),
    });
    session.open().catch(() => {});
    await settle();
    const asked = session.query({ text: 'one' });
    asked.catch(() => {});
    const closing = session.close(1_000);
    await clock.advance(999);
    expect(server.ends).toBe(0);
    await clock.advance(1);
    expect(server.ends).toBeGreaterThan(0);
    server.asked[0]?.fail(new Error('Connection terminated'));
    await closing;
    await expect(asked).rejects.toMatchObject({ code: 'INBOX_DATABASE_AWAY' });
    expect(clock.pending).toBe(0);
  },
);

test('tries again with longer and longer pauses, for ever', async () => {
  const server = new Server();
  server.isAway = true;
  const clock = new FakeClock();
  const lost: number[] = [];
  const session = new Session({
    name: 'work',
    connect: server.connect,
    clock,
    random: () => 1,
    lost: () => lost.push(clock.now()),
  });
  const opening = session.open();
  await clock.advance(20_000);
  expect(lost).toEqual([0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300, 16_300]);
  server.isAway = false;
  await clock.advance(5_000);
  await opening;
  await session.close();
  expect(clock.pending).toBe(0);
});

test('connects again with longer and longer pauses where answers do not come in time', async () => {
  const server = new Server();
  const clock = new FakeClock();
  const connected: number[] = [];
  const session = new Session({
    name: 'work',
    connect: server.connect,
    clock,
    random: () => 1,
    answerTimeoutMs: 1_000,
    connected: () => connected.push(clock.now()),
  });
  await session.open();
  for (let stall = 1; stall <= 4; stall++) {
    const asked = session.query({ text: 'one' });
    asked.catch(() => {});
    await clock.advance(1_000);
    server.asked.at(-1)?.fail(new Error('Connection terminated'));
    await expect(asked).rejects.toMatchObject({ code: 'INBOX_DATABASE_AWAY' });
    await clock.advance(2_000);
  }
  expect(connected.map((at, stall) => at - 3_000 * stall)).toEqual([0, -1_900, -1_800, -1_600, -1_200]);
  await session.close();
});

test('gives nobody who waits the connection that has just failed', async () => {
  const server = new Server();
  const session = new Session({ name: 'work', connect: server.connect, clock: new FakeClock() });
  await session.open();
  const failing = session.query({ text: 'one' });
  await settle();
  server.isAway = true;
  server.asked[0]?.fail(new Error('Connection terminated unexpectedly'));
  await expect(failing).rejects.toMatchObject({ code: 'INBOX_DATABASE_AWAY' });
  expect(session.isConnected).toBe(false);
  await session.close();
});
