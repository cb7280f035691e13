import { describe, expect, it } from '@jest/globals';
import { detectSupervisor, unsupervised } from '../../src/host/supervisor.js';

const ADDRESS = '/run/systemd/notify';

describe('the supervisor', () => {
  it.each([
    ['nothing says so', {}],
    ['NOTIFY_SOCKET is blank', { NOTIFY_SOCKET: '' }],
    ['the watchdog is that of another process', { NOTIFY_SOCKET: ADDRESS, WATCHDOG_PID: '7' }],
  ])('is none if %s', async (_, env) => {
    expect(await detectSupervisor({ pid: 8, env })).toBe(unsupervised);
  });

  it('is not systemd under pm2, whose apps inherit its environment', async () => {
    const env = { NOTIFY_SOCKET: '/nowhere/notify', pm_id: '0' };
    expect((await detectSupervisor({ pid: 8, env })).kind).toBe('pm2');
  });

  it.each([undefined, '8'])(
    'is systemd if the socket is for this process (WATCHDOG_PID %s)',
    async (watchdogPid) => {
      const env = { NOTIFY_SOCKET: '/nowhere/notify', ...(watchdogPid && { WATCHDOG_PID: watchdogPid }) };
      await expect(detectSupervisor({ pid: 8, env })).rejects.toMatchObject({ code: 'NOTIFY_UNAVAILABLE' });
    },
  );
});
