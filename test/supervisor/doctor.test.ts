/** `lastcall doctor` where the real systemd and the real pm2 run the bot: their limits, and the settings of a unit. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openSandbox } from '../support/delivery.js';
import { doctor } from '../support/doctor.js';
import { textOf, troubles } from '../support/findings.js';
import { Pm2, Pm2Bot } from '../support/pm2.js';
import { checkout, describeUnderSystemd, SystemdHost } from '../support/systemd-host.js';
import { BotUnit } from '../support/unit.js';

jest.setTimeout(60_000);

describeUnderSystemd('under systemd', () => {
  let host: SystemdHost;
  beforeAll(async () => {
    host = await SystemdHost.boot();
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  /** As root, in a folder that is not the bot's, without any settings in the shell. */
  async function looked() {
    const { code, stdout } = await host.run(
      ...(['env', '-i', 'PATH=/usr/bin:/bin', 'HOME=/root', 'container=none'] as const),
      ...['/usr/bin/node', `${checkout}/dist/main.js`, 'doctor', '--json'],
    );
    const findings = JSON.parse(stdout).findings;
    return {
      code,
      findings,
      supervision: findings.filter((each: { group: string }) => each.group === 'Supervisor'),
    };
  }

  it('reads the settings of the unit, its token among them, and finds the shipped unit well', async () => {
    await using sandbox = await openSandbox();
    await using unit = await BotUnit.install(host, sandbox, { service: { RestartSec: '5' } });
    await unit.systemctl('enable');
    await unit.systemctl('start');
    const { code, findings, supervision } = await looked();
    expect(troubles(supervision)).toEqual([]);
    expect(code).toBe(0);
    const text = textOf(findings);
    expect(text).toContain('read as lastcall.service has them');
    expect(text).toContain(`Telegram knows the bot as @sandbox_${sandbox.id}_bot`);
    expect(text).toMatch(/by process \d+, for/);
    expect(text).toContain('TimeoutStopSec 1min 35s');
    expect(sandbox.state().conflicts).toBe(0);
  });

  it('finds limits of a unit that cut a stop short', async () => {
    await using sandbox = await openSandbox();
    const service = {
      Type: 'simple',
      NotifyAccess: 'none',
      TimeoutStopSec: '20',
      WatchdogSec: '0',
      Restart: 'no',
    };
    await using unit = await BotUnit.install(host, sandbox, { service });
    await unit.systemctl('enable');
    const { code, supervision } = await looked();
    expect({ code, found: troubles(supervision) }).toEqual({
      ...{ code: 1, found: ['unit: wrong', 'unit: warning'] },
    });
    expect(textOf(supervision)).toContain('kills the bot 20s after a stop begins');
    // What it says to paste does it.
    const [{ commands = [] }] = supervision;
    for (const command of commands) await host.run('sh', '-c', command.replaceAll('sudo ', ''));
    expect(troubles((await looked()).supervision)).toEqual(['unit: warning', 'unit: warning']);
    await host.run('rm', '-rf', '/etc/systemd/system/lastcall.service.d');
  });
});

describe('under pm2', () => {
  const pm2 = new Pm2();
  afterAll(() => pm2[Symbol.asyncDispose]());

  it('finds a kill_timeout that cuts a stop short, at the process itself', async () => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { app: { kill_timeout: 1_600 } });
    await bot.start();
    const cwd = bot.folder;
    const { code, findings } = await doctor(sandbox, { cwd, env: { STATE_DIR: `${cwd}/state` } });
    const found = findings.filter(({ group }) => group === 'Supervisor');
    expect(troubles(found)).toEqual(['pm2: warning']);
    expect(textOf(found)).toMatch(/app lastcall \(process \d+\) is killed 1600 ms after/);
    expect(code).toBe(0);
  });
});
