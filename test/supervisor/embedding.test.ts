/** A program that embeds lastcall with `supervisor: true`, under the real pm2 and under a real systemd. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { fixture, type LogLine } from '../support/daemon.js';
import { allAnswered, openSandbox } from '../support/delivery.js';
import { repository } from '../support/folder.js';
import { Pm2 } from '../support/pm2.js';
import { checkout, describeUnderSystemd, SystemdHost } from '../support/systemd-host.js';
import { BotUnit } from '../support/unit.js';

jest.setTimeout(60_000);

const program = fixture('embedding', 'supervised.mjs');

describe('an embedding program under pm2', () => {
  const pm2 = new Pm2();
  afterAll(() => pm2[Symbol.asyncDispose]());

  const start = (
    { token, apiRoot }: Sandbox,
    env: Readonly<Record<string, string>> = {},
    ...flags: string[]
  ) =>
    pm2.succeedWith(
      { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, ...env },
      'start',
      program,
      '--name',
      'embedding',
      ...flags,
    );
  const lines = (): LogLine[] => {
    const file = join(pm2.home, 'logs', 'embedding-out.log');
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    return text
      .split('\n')
      .slice(0, -1)
      .map((line): LogLine => JSON.parse(line));
  };
  const lastRun = (): unknown => {
    const state = join(pm2.home, '..', '.local', 'state', 'lastcall');
    return JSON.parse(readFileSync(join(state, readdirSync(state)[0] ?? '', 'last-run.json'), 'utf8'));
  };
  const events = () => lines().map(({ event }) => event);

  it('tells it when the bot polls, and stops within its kill_timeout, hooks and all', async () => {
    await using sandbox = await openSandbox();
    const { tookMs } = await start(
      sandbox,
      { HANDLER_MS: '30000' },
      '--wait-ready',
      '--listen-timeout',
      '20000',
    );
    expect(tookMs).toBeLessThan(15_000);
    expect(sandbox.calls({ method: 'getUpdates' })[0]?.answered).toBeDefined();
    const [app] = await pm2.list();
    expect(app?.pm2_env.axm_monitor?.lastcall?.value).toMatch(/^polling as @sandbox_/);
    sandbox.say('hello');
    await sandbox.waitFor(() => sandbox.state().waitingPolls === 1 && sandbox.state().queued === 0);

    const { code } = await pm2.succeed('stop', 'embedding');
    expect(code).toBe(0);
    expect(events()).toContain('fixture.told');
    expect(events()).toContain('fixture.closed');
    expect(lines().find(({ event }) => event === 'lifecycle.budget')).toMatchObject({
      budgetMs: 1_200,
      killAfterMs: 1_600,
    });
    expect(lines().at(-1)).toMatchObject({ event: 'lifecycle.stopped', outcome: 'cut', counts: { left: 1 } });
    await pm2.succeed('delete', 'embedding');

    // What was cut is still there for the next run.
    await start(sandbox);
    await allAnswered(sandbox);
    await pm2.succeed('delete', 'embedding');
    expect(lines().at(-1)).toMatchObject({ event: 'lifecycle.stopped', outcome: 'clean' });
  });

  it('stops cleanly by message, and when pm2 itself is gone', async () => {
    await using sandbox = await openSandbox();
    await start(sandbox, {}, '--wait-ready', '--shutdown-with-message');
    await pm2.succeed('delete', 'embedding');
    expect(lines().at(-1)).toMatchObject({ reasonKind: 'message', outcome: 'clean' });
    await start(sandbox, {}, '--wait-ready');
    process.kill(pm2.daemonPid, 'SIGKILL');
    await pm2.gone();
    // Its log went to pm2.
    expect(lastRun()).toMatchObject({ phase: 'stopped', exitCode: 0, supervisor: 'pm2' });
  });
});

describeUnderSystemd('an embedding program under systemd', () => {
  let host: SystemdHost;
  beforeAll(async () => {
    host = await SystemdHost.boot();
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  const install = (sandbox: Sandbox, env: Readonly<Record<string, string>> = {}, service = {}) =>
    BotUnit.install(host, sandbox, {
      env: { BOT_TOKEN: sandbox.token, ...env },
      service: {
        ExecStart: `\nExecStart=/usr/bin/node ${program.replace(repository, checkout)}`,
        ...service,
      },
    });

  it('starts when the bot polls, keeps its state where the unit allows it, and stops in its own time', async () => {
    await using sandbox = await openSandbox();
    await using unit = await install(sandbox, { HANDLER_MS: '2500' }, { TimeoutStopSec: '1' });
    expect(await unit.systemctl('start')).toMatchObject({ code: 0 });
    expect(sandbox.calls({ method: 'getUpdates' })[0]?.answered).toBeDefined();
    expect(await unit.show('StatusText')).toMatch(/^polling as @sandbox_/);
    expect(await unit.told('inbox.opened')).toMatchObject([
      { path: expect.stringMatching(/^\/var\/lib\/(private\/)?lastcall\//) },
    ]);

    sandbox.say('hello');
    await sandbox.waitFor(() => sandbox.state().waitingPolls === 1 && sandbox.state().queued === 0);
    const { code, tookMs } = await unit.systemctl('stop');
    expect(code).toBe(0);
    expect(tookMs).toBeGreaterThan(1_500);
    expect(await unit.receipt()).toMatchObject({ outcome: 'clean', counts: { handled: 1 } });
    expect(await unit.show('Result')).toBe('success');
  });

  it('is restarted by the watchdog when it no longer turns', async () => {
    await using sandbox = await openSandbox();
    await using unit = await install(sandbox, {}, { WatchdogSec: '1' });
    expect(await unit.systemctl('start')).toMatchObject({ code: 0 });
    sandbox.say('block');
    await unit.until('NRestarts', '1');
  });
});
