import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { connectToPm2 } from '../../src/host/pm2.js';
import { detectSupervisor } from '../../src/host/supervisor.js';

/** A fake process under pm2, and the messages that it sends to pm2. */
function setUp(env: Record<string, string> = {}, connected: boolean | 'no channel' = true) {
  const messages: unknown[] = [];
  const send = (message: unknown, _handle: undefined, _options: undefined, sent: (error: null) => void) => {
    messages.push(message);
    sent(null);
  };
  const process = Object.assign(new EventEmitter(), {
    pid: 8,
    env: { pm_id: '0', ...env },
    ...(connected !== 'no channel' && { connected, send }),
  });
  return { messages, process, events: process as EventEmitter };
}

describe('pm2', () => {
  it('is the supervisor of a process that has a pm_id', async () => {
    const { process } = setUp();
    expect((await detectSupervisor(process)).kind).toBe('pm2');
  });

  it('gets `ready` and the status', async () => {
    const { process, messages } = setUp();
    const supervisor = await connectToPm2(process);
    supervisor.status('standing by, process 7 polls');
    supervisor.ready();
    expect(messages).toEqual([
      { type: 'axm:monitor', data: { lastcall: { value: 'standing by, process 7 polls' } } },
      'ready',
    ]);
  });

  it.each([
    ['there is no channel', 'no channel'],
    ['the channel has closed', false],
  ] as const)('gets no message if %s', async (_, connected) => {
    const { process, messages } = setUp({}, connected);
    const supervisor = await connectToPm2(process);
    supervisor.ready();
    supervisor.status('polling');
    expect(messages).toEqual([]);
  });

  it.each([
    [undefined, 1_600, 1_200],
    ['', 1_600, 1_200],
    ['0', 1_600, 1_200],
    ['soon', 1_600, 1_200],
    ['NaN', 1_600, 1_200],
    // pm2 kills at once with these values.
    ['Infinity', 1, 0.75],
    ['3000000000', 1, 0.75],
    ['-5', 1, 0.75],
    ['0.5', 1, 0.75],
    ['400', 400, 300],
    ['5000', 5_000, 4_600],
    ['95000', 95_000, 94_600],
  ])(
    'with kill_timeout=%s kills after %d ms, so that a stop may take %d ms',
    async (text, killMs, stopMs) => {
      const { process } = setUp(text === undefined ? {} : { kill_timeout: text });
      expect(await connectToPm2(process)).toMatchObject({ killAfterMs: killMs, stopLimitMs: stopMs });
    },
  );

  it('does not kill a stop that exceeds its budget by 250 ms, if kill_timeout is 1 s or more', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 600_000 }), async (killMs) => {
        const { stopLimitMs = Number.NaN } = await connectToPm2(setUp({ kill_timeout: `${killMs}` }).process);
        expect(stopLimitMs).toBeGreaterThan(0);
        expect(stopLimitMs).toBeLessThan(killMs);
        if (killMs >= 1_000) expect(stopLimitMs + 250).toBeLessThanOrEqual(killMs);
      }),
    ));

  it('has its listeners for faults removed, and the bot program’s stay', async () => {
    const { process, events } = setUp();
    const theirs = {
      uncaughtListener() {},
      onUncaughtException() {},
      onUnhandledRejection() {},
    };
    const programs = () => {};
    events.on('uncaughtException', theirs.uncaughtListener);
    events.on('uncaughtException', theirs.onUncaughtException.bind(theirs));
    events.on('uncaughtException', programs);
    events.on('unhandledRejection', theirs.onUnhandledRejection.bind(theirs));
    await connectToPm2(process);
    expect(events.listeners('uncaughtException')).toEqual([programs]);
    expect(events.listeners('unhandledRejection')).toEqual([]);
  });

  it('lets a cluster worker outlive its primary, and changes no worker in fork mode', async () => {
    const worker = { exitedAfterDisconnect: false };
    await connectToPm2(setUp({ exec_mode: 'fork_mode', NODE_APP_INSTANCE: '0' }).process, async () => worker);
    expect(worker.exitedAfterDisconnect).toBe(false);
    await connectToPm2(setUp({ exec_mode: 'cluster_mode' }).process, async () => worker);
    expect(worker.exitedAfterDisconnect).toBe(true);
    await expect(
      connectToPm2(setUp({ exec_mode: 'cluster_mode' }).process, async () => undefined),
    ).resolves.toMatchObject({ kind: 'pm2' });
  });
});
