import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type ListenerOptions, MetricsListener } from '../../../src/observe/metrics/listener.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { get } from '../../support/metrics.js';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function given(options: Partial<ListenerOptions> = {}) {
  const clock = new FakeClock();
  const addresses: string[] = [];
  const errors: unknown[] = [];
  let heard = () => {};
  const listener = new MetricsListener({
    ...{ host: '127.0.0.1', port: 0, isLoopback: true, clock },
    answer: async (path) => ({ status: 200, contentType: 'text/plain', body: `at ${path}\n` }),
    listening: (address) => {
      addresses.push(address);
      heard();
    },
    unavailable: (error) => errors.push(error),
    ...options,
  });
  open.push(listener);
  const isHeard = new Promise<void>((resolve) => {
    heard = resolve;
  });
  return { clock, addresses, errors, listener, isHeard };
}

async function listening(options: Partial<ListenerOptions> = {}) {
  const rig = given(options);
  await rig.listener.listen();
  return { ...rig, address: rig.addresses[0] ?? '' };
}

/** Another process at a port. */
async function occupied() {
  const server = createServer().listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0 };
}

describe('MetricsListener', () => {
  it('answers GET and HEAD, once for each connection', async () => {
    const { address } = await listening();
    const asked = await get(address, '/metrics?x=1', { headers: { connection: 'keep-alive' } });
    expect(asked).toMatchObject({ status: 200, body: 'at /metrics\n', headers: { connection: 'close' } });
    const head = await get(address, '/metrics', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '12' } });
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const { address } = await listening();
    expect(await get(address, '/metrics', { method })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  });

  it.each<Record<string, string>>([
    { host: 'evil.example' },
    { host: 'evil.example:9464' },
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
  ])('refuses the request of a web page: %j', async (headers) => {
    const { address } = await listening();
    expect(await get(address, '/metrics', { headers })).toMatchObject({ status: 403 });
  });

  it('answers to any name where the address is not of this machine alone, but to no web page', async () => {
    const { address } = await listening({ isLoopback: false });
    expect(await get(address, '/', { headers: { host: 'bots.example:9464' } })).toMatchObject({
      status: 200,
    });
    const headers = { host: 'bots.example', origin: 'https://evil.example' };
    expect(await get(address, '/', { headers })).toMatchObject({ status: 403 });
  });

  it('survives an answer that fails, and tells nothing of the error', async () => {
    const { address } = await listening({ answer: () => Promise.reject(new Error('secret')) });
    expect(await get(address, '/')).toMatchObject({ status: 500, body: 'failed\n' });
  });

  it('tries again where the port is in use, and takes it when it is free', async () => {
    const { server, port } = await occupied();
    const { clock, addresses, errors, listener, isHeard } = given({ port });
    await listener.listen();
    expect(errors).toMatchObject([{ code: 'EADDRINUSE' }]);
    server.close();
    await once(server, 'close');
    await clock.advance(2_000);
    await isHeard;
    expect(addresses).toEqual([`127.0.0.1:${port}`]);
    expect(errors).toHaveLength(1);
  });

  it('tries again where the address is not there yet, and no more once it is closed', async () => {
    const { clock, addresses, errors, listener } = given({ host: '192.0.2.1' });
    await listener.listen();
    expect(errors).toMatchObject([{ code: 'EADDRNOTAVAIL' }]);
    listener.close();
    await clock.advance(10_000);
    await settle();
    expect(addresses).toEqual([]);
  });

  it('ends the start where no try would help', async () => {
    const { errors, listener } = given({ host: '127.0.0.1', port: 70_000 });
    await expect(listener.listen()).rejects.toMatchObject({ code: 'METRICS_ADDRESS', culprit: 'METRICS' });
    expect(errors).toEqual([]);
  });

  it('is closed at once, with every connection', async () => {
    let arrived = () => {};
    const isAsked = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const answer = () => {
      arrived();
      return new Promise<never>(() => {});
    };
    const { address, listener } = await listening({ answer });
    const [host, port] = address.split(':');
    const idle = connect(Number(port), host);
    await once(idle, 'connect');
    const asked = get(address, '/metrics').catch((error: unknown) => error);
    await isAsked;
    const isIdleClosed = once(idle, 'close');
    listener.close();
    expect(await asked).toMatchObject({ code: 'ECONNRESET' });
    await isIdleClosed;
    await expect(get(address, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  }, 5_000); // Less than the time after which a connection ends that nothing happens on.
});
