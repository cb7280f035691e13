import { describe, expect, it } from '@jest/globals';
import { embeddedSupervisor } from '../../src/host/embedded-supervisor.js';
import { type Supervisor, unsupervised } from '../../src/host/supervisor.js';

const underSystemd = { pid: 8, env: { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '3000000' } };

/** A connection that writes down what it is told. */
function recorder(told: unknown[]): Supervisor {
  return {
    kind: 'systemd',
    ready: () => void told.push('ready'),
    status: (text) => void told.push(text),
    extend: (ms) => void told.push(ms),
    stopping: () => void told.push('stopping'),
    ping: () => void told.push('ping'),
  };
}

describe('the supervisor of an embedding program', () => {
  it('is none where nothing says so', () => {
    expect(embeddedSupervisor({ pid: 8, env: {} })).toBe(unsupervised);
  });

  it('is known before it is connected, and is then told what it missed', async () => {
    const told: unknown[] = [];
    const supervisor = embeddedSupervisor(underSystemd, undefined, async () => recorder(told));
    expect(supervisor).toMatchObject({ kind: 'systemd', watchdogMs: 3_000 });
    supervisor.extend?.(5_000);
    supervisor.ready();
    expect(told).toEqual([]);
    await supervisor.connect?.();
    supervisor.status('polling');
    supervisor.ping?.();
    supervisor.stopping?.();
    expect(told).toEqual([5_000, 'ready', 'polling', 'ping', 'stopping']);
  });

  it('may be told things without a connection', async () => {
    const supervisor = embeddedSupervisor(underSystemd, undefined, () =>
      Promise.reject(new Error('no socket')),
    );
    await expect(supervisor.connect?.()).rejects.toThrow('no socket');
    supervisor.ready();
  });

  it('is pm2 with its limits, whose own listeners stay', async () => {
    const process = {
      pid: 8,
      env: { pm_id: '0', kill_timeout: '4000' },
      listeners: () => [{ name: 'uncaughtListener' }],
      off: () => expect(true).toBe(false),
    };
    const supervisor = embeddedSupervisor(process);
    await supervisor.connect?.();
    expect(supervisor).toMatchObject({ kind: 'pm2', stopLimitMs: 3_600, killAfterMs: 4_000 });
  });

  it('is the container where there is no other, with its grace and a heartbeat', () => {
    const supervisor = embeddedSupervisor({ pid: 8, env: {} }, 10_000);
    expect(supervisor).toMatchObject({ kind: 'container', stopLimitMs: 9_600, watchdogMs: 60_000 });
    expect(supervisor.ping).toBeDefined();
    expect(embeddedSupervisor({ ...underSystemd }, 10_000).kind).toBe('systemd');
  });
});
