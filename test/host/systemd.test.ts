import { describe, expect, it } from '@jest/globals';
import { connectToSystemd, type DatagramSocket } from '../../src/host/systemd.js';

const ADDRESS = '/run/systemd/notify';

/** A class of sockets that record their messages, or fail to send each of them. */
function fakeSockets(failure?: Error) {
  const messages: string[] = [];
  const state = { open: 0 };
  class FakeSocket implements DatagramSocket {
    constructor() {
      state.open++;
    }

    sendTo(
      message: Buffer,
      offset: number,
      length: number,
      path: string,
      sent: (error?: Error) => void,
    ): void {
      expect(path).toBe(ADDRESS);
      if (!failure) messages.push(message.toString('utf8', offset, offset + length));
      sent(failure);
    }

    on(): void {}

    close(): void {
      state.open--;
    }
  }
  return { FakeSocket, messages, state };
}

async function connected(env: Record<string, string> = {}) {
  const sockets = fakeSockets();
  const supervisor = await connectToSystemd(ADDRESS, env, async () => sockets.FakeSocket);
  return { ...sockets, supervisor };
}

describe('systemd', () => {
  it('gets each notification as one message', async () => {
    const { messages, state, supervisor } = await connected();
    supervisor.status('polling as @name');
    supervisor.extend?.(1_500.2);
    supervisor.ready();
    supervisor.ping?.();
    supervisor.stopping?.();
    expect(messages).toEqual([
      'STATUS=starting',
      'STATUS=polling as @name',
      'EXTEND_TIMEOUT_USEC=1501000',
      'READY=1',
      'WATCHDOG=1',
      'STOPPING=1',
    ]);
    // An open socket would keep the process alive.
    expect(state.open).toBe(0);
  });

  it('gets no request for infinite time, and no second line in a status', async () => {
    const { messages, supervisor } = await connected();
    supervisor.extend?.(Number.POSITIVE_INFINITY);
    supervisor.status('first\nREADY=1');
    expect(messages.slice(1)).toEqual(['STATUS=first READY=1']);
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

  it('causes no error when a later message fails', async () => {
    const { FakeSocket } = fakeSockets();
    const supervisor = await connectToSystemd(ADDRESS, {}, async () => FakeSocket);
    FakeSocket.prototype.sendTo = () => {
      throw new Error('closed');
    };
    expect(() => supervisor.ping?.()).not.toThrow();
  });

  it.each([
    ['an abstract socket', '@notify', async () => fakeSockets().FakeSocket],
    ['a socket of a virtual machine', 'vsock:2:1', async () => fakeSockets().FakeSocket],
    ['a package that does not load', ADDRESS, () => Promise.reject(new Error('no native build'))],
    ['a socket that is not there', ADDRESS, async () => fakeSockets(new Error('No such file')).FakeSocket],
  ])('cannot be reached through %s: the start ends with 78', async (_, address, open) => {
    await expect(connectToSystemd(address, {}, open)).rejects.toMatchObject({
      code: 'NOTIFY_UNAVAILABLE',
      exitCode: 78,
    });
  });
});
