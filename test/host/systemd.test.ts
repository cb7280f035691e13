import { describe, expect, it } from '@jest/globals';
import { connectToSystemd, type DatagramSocket } from '../../src/host/systemd.js';

const ADDRESS = '/run/systemd/notify';

/** A socket that records messages, or fails to send each of them. */
class FakeSocket implements DatagramSocket {
  readonly messages: string[] = [];
  closed = false;
  readonly #failure: Error | undefined;

  constructor(failure?: Error) {
    this.#failure = failure;
  }

  sendTo(message: Buffer, offset: number, length: number, path: string, sent: (error?: Error) => void): void {
    expect(path).toBe(ADDRESS);
    if (!this.#failure) this.messages.push(message.toString('utf8', offset, offset + length));
    sent(this.#failure);
  }

  on(): void {}

  close(): void {
    this.closed = true;
  }
}

async function connected(env: Record<string, string> = {}) {
  const socket = new FakeSocket();
  const supervisor = await connectToSystemd(ADDRESS, env, async () => () => socket);
  return { socket, supervisor };
}

describe('systemd', () => {
  it('gets each notification as one message', async () => {
    const { socket, supervisor } = await connected();
    supervisor.status('polling as @name');
    supervisor.extend?.(1_500.2);
    supervisor.ready();
    supervisor.ping?.();
    supervisor.stopping?.();
    expect(socket.messages).toEqual([
      'STATUS=starting',
      'STATUS=polling as @name',
      'EXTEND_TIMEOUT_USEC=1501000',
      'READY=1',
      'WATCHDOG=1',
      'STOPPING=1',
    ]);
    supervisor.close?.();
    expect(socket.closed).toBe(true);
  });

  it('gets no request for infinite time, and no second line in a status', async () => {
    const { socket, supervisor } = await connected();
    supervisor.extend?.(Number.POSITIVE_INFINITY);
    supervisor.status('first\nREADY=1');
    expect(socket.messages.slice(1)).toEqual(['STATUS=first READY=1']);
  });

  it.each([
    ['3000000', 3_000],
    ['1500', 1.5],
    [undefined, undefined],
    ['', undefined],
    ['0', undefined],
    ['soon', undefined],
  ])('with WATCHDOG_USEC=%s has a watchdog of %s ms', async (text, watchdogMs) => {
    const { supervisor } = await connected(text === undefined ? {} : { WATCHDOG_USEC: text });
    expect(supervisor.watchdogMs).toBe(watchdogMs);
  });

  it('keeps no socket open while it is released, but gets its messages', async () => {
    const sockets: FakeSocket[] = [];
    const supervisor = await connectToSystemd(ADDRESS, {}, async () => () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    });
    supervisor.release?.();
    supervisor.ping?.();
    expect(sockets.map(({ closed }) => closed)).toEqual([true, true]);
    supervisor.hold?.();
    supervisor.ready();
    expect(sockets.map(({ closed, messages }) => [closed, ...messages])).toEqual([
      [true, 'STATUS=starting'],
      [true, 'WATCHDOG=1'],
      [false, 'READY=1'],
    ]);
  });

  it('causes no error when a later message fails', async () => {
    const failing = new FakeSocket();
    const supervisor = await connectToSystemd(ADDRESS, {}, async () => () => failing);
    failing.sendTo = () => {
      throw new Error('closed');
    };
    expect(() => supervisor.ping?.()).not.toThrow();
  });

  it.each([
    ['an abstract socket', '@notify', async () => () => new FakeSocket()],
    ['a socket of a virtual machine', 'vsock:2:1', async () => () => new FakeSocket()],
    ['a package that does not load', ADDRESS, () => Promise.reject(new Error('no native build'))],
    ['a socket that is not there', ADDRESS, async () => () => new FakeSocket(new Error('No such file'))],
  ])('cannot be reached through %s: the start ends with 78', async (_, address, open) => {
    await expect(connectToSystemd(address, {}, open)).rejects.toMatchObject({
      code: 'NOTIFY_UNAVAILABLE',
      exitCode: 78,
    });
  });
});
