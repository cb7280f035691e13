/** The shipped unit under a real systemd: start, status, stop, the watchdog, the journal. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { botKey } from '../../src/host/bot-key.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { fixture, type LogLine } from '../support/daemon.js';
import { allAnswered, countsOf, mishaps, noMishaps, openSandbox, runBot } from '../support/delivery.js';
import { repository } from '../support/folder.js';
import { checkout, describeUnderSystemd, SystemdHost } from '../support/systemd-host.js';
import { newToken } from '../support/token.js';
import { BotUnit } from '../support/unit.js';

jest.setTimeout(60_000);

/** So many texts, spread over ten chats. */
function sayLots(sandbox: Sandbox, count: number, text: string): void {
  for (let n = 0; n < count; n++) sandbox.say({ chat: 1 + (n % 10), text: `${text} ${n}.` });
}

describeUnderSystemd('under systemd', () => {
  let host: SystemdHost;
  beforeAll(async () => {
    host = await SystemdHost.boot();
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  describe('systemctl start', () => {
    it('returns when the bot polls, within a second of its first poll, on a bot without traffic', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox);
      expect(await unit.systemctl('start')).toMatchObject({ code: 0 });
      const returnedAt = performance.now();

      const [firstPoll] = sandbox.calls({ method: 'getUpdates' });
      expect(firstPoll?.answered).toBeDefined();
      expect(returnedAt - (firstPoll?.atMs ?? 0)).toBeLessThan(1_000);
      expect(await unit.show('StatusText')).toBe(
        `polling as @sandbox_${sandbox.id}_bot, 0 running, 0 handled`,
      );
      expect((await unit.systemctl('status', '--no-pager')).stdout).toContain('Status: "polling as @');
    });

    it('does so, too, right after a stop in which nothing had come', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox);
      await unit.systemctl('start');
      await sandbox.waitFor(() => sandbox.state().waitingPolls === 1);
      const { code, tookMs } = await unit.systemctl('restart');
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(1_500);
    });

    it('outlasts TimeoutStartSec while Telegram is out of reach, and says so', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        env: { START_TIMEOUT: '10s' },
        service: { TimeoutStartSec: '1' },
      });
      sandbox.addFault({ kind: 'refuse', forMs: 4_500 });
      const starting = unit.systemctl('start');
      await unit.until('StatusText', /^Telegram unreachable for [12] s, 0 running, 0 handled$/);
      expect(await starting).toMatchObject({ code: 0 });
      expect(await unit.show('NRestarts')).toBe('0');
      expect(await unit.show('StatusText')).toMatch(/^polling as @/);
    });

    it('returns though Telegram stays out of reach, and the status says so', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, { env: { START_TIMEOUT: '1s' } });
      sandbox.addFault({ kind: 'refuse', forMs: 60_000 });
      const { code, tookMs } = await unit.systemctl('start');
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(4_000);
      expect(await unit.show('StatusText')).toMatch(/^Telegram unreachable for \d s, 0 running, 0 handled$/);
      expect(await unit.show('ActiveState')).toBe('active');
    });

    it('outlasts TimeoutStartSec while a hook starts', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        module: 'slow-start',
        env: { HOOK_START_MS: '2500' },
        service: { TimeoutStartSec: '1' },
      });
      const { code, tookMs } = await unit.systemctl('start');
      expect(code).toBe(0);
      expect(tookMs).toBeGreaterThan(2_000);
      expect(await unit.show('NRestarts')).toBe('0');
    });

    it('shows exit code 78 for a token that is refused, and no loop of restarts', async () => {
      await using sandbox = await openSandbox({ tokens: [newToken()] });
      const token = `${sandbox.token.slice(0, -1)}X`;
      await using unit = await BotUnit.install(host, sandbox, { token, service: { RestartSec: '50ms' } });
      expect(await unit.systemctl('start')).toMatchObject({ code: 1 });
      await unit.until('ActiveState', 'failed');
      expect(await unit.show('ExecMainStatus')).toBe('78');
      expect(await unit.show('NRestarts')).toBe('0');
      expect((await unit.systemctl('status', '--no-pager')).stdout).toContain('status=78');
      expect(await unit.receipt()).toMatchObject({ exitCode: 78 });
      expect((await unit.log()).some(({ MESSAGE }) => MESSAGE.includes(token))).toBe(false);
    });

    it('shows exit code 78, and nothing that would be under way, where there is no token', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        module: `${checkout}/dist/bot.js`,
        service: { LoadCredential: '' },
      });
      expect(await unit.systemctl('start')).toMatchObject({ code: 1 });
      expect(await unit.show('ExecMainStatus')).toBe('78');
      expect(await unit.show('NRestarts')).toBe('0');
      expect(await unit.show('StatusText')).toBe('');
      expect((await unit.log('-p', 'err'))[0]?.MESSAGE).toMatch(/there is no bot token/);
    });

    it('gives an unchanged program the token of LoadCredential', async () => {
      await using sandbox = await openSandbox();
      const module = fixture('bots', 'needs-token.js').replace(repository, checkout);
      await using unit = await BotUnit.install(host, sandbox, { module });
      expect(await unit.systemctl('start')).toMatchObject({ code: 0 });
      sandbox.say('hello');
      await allAnswered(sandbox);
      expect(await unit.systemctl('stop')).toMatchObject({ code: 0 });
      expect((await unit.log()).some(({ MESSAGE }) => MESSAGE.includes(sandbox.token))).toBe(false);
    });

    it("shows exit code 78 where no bot is named, and does not start lastcall's example bot", async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        service: { ExecStart: `\nExecStart=/usr/bin/node ${checkout}/dist/main.js run` },
      });
      expect(await unit.systemctl('start')).toMatchObject({ code: 1 });
      expect(await unit.show('ExecMainStatus')).toBe('78');
      expect(await unit.show('NRestarts')).toBe('0');
      expect((await unit.log('-p', 'err'))[0]?.MESSAGE).toMatch(/^lastcall: which bot\? None is named/);
      expect(sandbox.callCount('getUpdates')).toBe(0);
    });

    it('ends with 78 at once, and says why, where systemd cannot be told', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        service: { TemporaryFileSystem: '/srv/lastcall/node_modules/node-unix-socket' },
      });
      const { code, tookMs } = await unit.systemctl('start');
      expect(code).toBe(1);
      expect(tookMs).toBeLessThan(3_000);
      expect(await unit.show('ExecMainStatus')).toBe('78');
      expect(await unit.show('NRestarts')).toBe('0');
      const [why, next] = await unit.log('-p', 'err');
      expect(why?.MESSAGE).toMatch(
        /^lastcall: systemd expects notifications on \/\S+, which cannot be sent: .*node-unix-socket/,
      );
      expect(next?.MESSAGE).toMatch(/^What to do: install lastcall on this machine/);
    });
  });

  describe('systemctl stop', () => {
    it('loses nothing under load, and is a success', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, { env: { HANDLER_MS: '50' } });
      await unit.systemctl('start');
      sayLots(sandbox, 300, 'load');
      await sandbox.waitFor(() => sandbox.callCount('sendMessage') >= 30);
      expect(await unit.systemctl('stop')).toMatchObject({ code: 0 });
      expect(await unit.show('Result')).toBe('success');
      expect(await unit.show('ExecMainStatus')).toBe('0');
      expect(await unit.receipt()).toMatchObject({ outcome: 'clean', reason: 'SIGTERM' });
      expect(sandbox.report().unanswered).toBeGreaterThan(0);

      await unit.systemctl('start');
      await allAnswered(sandbox);
      expect(mishaps(sandbox)).toEqual(noMishaps);
    });

    it('says how the stop goes', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        module: 'telling',
        env: { HANDLER_MS: '2000', STOP_TIMEOUT: '18s' },
      });
      for (const chat of [1, 2, 3]) sandbox.say({ chat, text: 'hello' });
      await unit.systemctl('start');
      await unit.tells('test.begun', 3);
      const stopping = unit.systemctl('stop');
      await unit.until('StatusText', /^draining: 3 handlers, 1[12] s left$/);
      expect(await unit.show('SubState')).toMatch(/^stop/);
      expect(await stopping).toMatchObject({ code: 0 });
    });

    it('lets a long hook complete under a shorter TimeoutStopSec', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        module: 'hooks',
        env: { HOOK_STOP_MS: '4000', STOP_TIMEOUT: '10s' },
        service: { TimeoutStopSec: '1' },
      });
      await unit.systemctl('start');
      const { code, tookMs } = await unit.systemctl('stop');
      expect({ code, result: await unit.show('Result') }).toEqual({ code: 0, result: 'success' });
      expect(tookMs).toBeGreaterThan(4_000);
      expect(await unit.receipt()).toMatchObject({ outcome: 'clean', exitCode: 0 });
    });

    it('is not needed: a stop of its own accord takes its time as well, and is followed by a start', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        module: 'hooks',
        env: { HOOK_STOP_MS: '2500', STOP_TIMEOUT: '10s', STOP_AFTER: '300ms' },
        service: { TimeoutStopSec: '1' },
      });
      await unit.systemctl('start');
      await unit.until('ActiveState', 'deactivating');
      expect(await unit.show('StatusText')).toMatch(/^stopping slow: \d+ s left$/);
      await unit.until('NRestarts', '1');
      expect(await unit.told('lifecycle.stopped')).toMatchObject([{ outcome: 'clean', exitCode: 0 }]);
      await unit.tells('lifecycle.running', 2);
      expect(await unit.told('previous-run.killed')).toEqual([]);
    });

    it('ends by a kill where the event loop is blocked, which the next start tells', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        module: 'blocks-at-stop',
        env: { STOP_TIMEOUT: '1s' },
        service: { TimeoutStopSec: '1' },
      });
      sandbox.say('hello');
      await unit.systemctl('start');
      await unit.tells('test.begun', 1);
      await unit.systemctl('stop');
      expect(await unit.show('Result')).toBe('timeout');
      await unit.systemctl('start');
      expect(await unit.told('previous-run.killed')).toMatchObject([
        { phase: 'draining', advice: expect.stringMatching(/^by systemd, if its event loop was blocked/) },
      ]);
    });

    it('cuts a hung hook itself, by name, before systemd does', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        module: 'hung-hooks',
        env: { STOP_TIMEOUT: '3s' },
        service: { TimeoutStopSec: '1' },
      });
      await unit.systemctl('start');
      const { tookMs } = await unit.systemctl('stop');
      expect(tookMs).toBeLessThan(3_000 + 1_000);
      expect(await unit.show('Result')).toBe('exit-code');
      expect(await unit.show('ExecMainStatus')).toBe('1');
      expect((await unit.told('hook.cut')).map(({ hook }) => hook)).toEqual(['slow', 'slow, too']);
      expect(await unit.receipt()).toMatchObject({ outcome: 'cut', exitCode: 1 });
    });
  });

  it('shows how a fault ended it, and never the token', async () => {
    await using sandbox = await openSandbox();
    await using unit = await BotUnit.install(host, sandbox, { module: 'faulty', service: { Restart: 'no' } });
    await unit.systemctl('start');
    sandbox.say('throw');
    await unit.until('ActiveState', 'failed');
    expect(await unit.show('ExecMainStatus')).toBe('70');
    const shown = await unit.show('StatusText');
    expect(shown).toMatch(/^stopped \(uncaught exception: nobody catches this, .*\), exit code 70$/);
    expect(shown).not.toContain(sandbox.token.split(':')[1]);
    const all = await host.succeed('systemctl', 'show', unit.name);
    expect(all).not.toContain(sandbox.token.split(':')[1]);
  });

  it('loses nothing and handles nothing twice in ten restarts under load', async () => {
    await using sandbox = await openSandbox();
    await using unit = await BotUnit.install(host, sandbox, { env: { HANDLER_MS: '20' } });
    await unit.systemctl('start');
    for (let round = 1; round <= 10; round++) {
      sayLots(sandbox, 60, `round ${round},`);
      const answered = sandbox.callCount('sendMessage');
      await sandbox.waitFor(() => sandbox.callCount('sendMessage') > answered + 10);
      expect(await unit.systemctl('restart')).toMatchObject({ code: 0 });
    }
    await allAnswered(sandbox);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(await unit.show('NRestarts')).toBe('0');
    const receipts = await unit.told('lifecycle.stopped');
    expect(receipts.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 10 }, () => 'clean'));
    // What one run has left, the next one takes up.
    const left = receipts.map((receipt) => countsOf(receipt as LogLine).left);
    expect(Math.max(...left)).toBeGreaterThan(0);
    const recovered = await unit.told('inbox.recovered');
    expect(recovered.map(({ updates }) => updates)).toEqual(left.filter((updates) => updates > 0));
    expect(await unit.told('previous-run.killed')).toEqual([]);
  });

  describe('what kills it', () => {
    it('kill -9: it is started again, tells what it died in, and loses nothing', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, { env: { HANDLER_MS: '50' } });
      await unit.systemctl('start');
      sayLots(sandbox, 200, 'load');
      await sandbox.waitFor(() => sandbox.callCount('sendMessage') >= 20);
      await unit.systemctl('kill', '--signal=SIGKILL');
      await unit.until('NRestarts', '1');
      await allAnswered(sandbox);
      expect(mishaps(sandbox)).toMatchObject({ lost: 0 });
      expect(await unit.told('previous-run.killed')).toMatchObject([
        { phase: 'running', machineRestarted: false },
      ]);
    });

    it("a restart of the machine: it is told as just that, though the unit hides the machine's id", async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, { service: { Restart: 'no' } });
      await unit.systemctl('start');
      await unit.systemctl('kill', '--signal=SIGKILL');
      await unit.until('ActiveState', 'failed');
      const key = botKey({ testEnv: false, botId: sandbox.id });
      const left = `/var/lib/private/lastcall/${key}/last-run.json`;
      const { bootId, ...state } = JSON.parse(host.read(left));
      expect(bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', ''));
      host.write(
        left,
        JSON.stringify({
          ...state,
          bootId: bootId.replace(/^./, (digit: string) => (digit === '0' ? '1' : '0')),
        }),
      );
      await unit.systemctl('start');
      expect(await unit.told('previous-run.killed')).toMatchObject([
        { phase: 'running', machineRestarted: true, advice: 'the machine was restarted' },
      ]);
    });

    it('an event loop that is blocked for longer than WatchdogSec: the watchdog starts it again', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, {
        module: 'blocking',
        service: { WatchdogSec: '1' },
      });
      await unit.systemctl('start');
      sandbox.say('block');
      await unit.until('NRestarts', '1');
      const ofSystemd = await host.journal('-u', unit.name, '_PID=1');
      expect(ofSystemd.some(({ MESSAGE }) => MESSAGE.includes('Watchdog timeout'))).toBe(true);
      await allAnswered(sandbox);
      expect(mishaps(sandbox)).toEqual(noMishaps);
    });

    it('not a network that is gone for three times WatchdogSec: it recovers', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, { service: { WatchdogSec: '1' } });
      await unit.systemctl('start');
      const pid = await unit.pid();
      sandbox.addFault({ kind: 'refuse', forMs: 4_000 });
      await unit.until('StatusText', /^Telegram unreachable for 3 s/);
      await unit.until('StatusText', /^polling as/);
      sandbox.say('hello');
      await allAnswered(sandbox);
      expect(await unit.pid()).toBe(pid);
      expect(await unit.show('NRestarts')).toBe('0');
      expect(await unit.told('poll.recovered')).toHaveLength(1);
    });
  });

  it('takes over the state of a bot that was run by hand, as the README says', async () => {
    await using sandbox = await openSandbox();
    {
      await using byHand = runBot(sandbox, 'echo', { env: { HANDLER_MS: '100', CONCURRENCY: '1' } });
      sayLots(sandbox, 30, 'load');
      await sandbox.waitFor(() => sandbox.callCount('sendMessage') >= 2);
      await byHand.stop('SIGTERM');
      expect(countsOf(byHand.receipt).left).toBeGreaterThan(0);
    }
    const readme = readFileSync(join(repository, 'README.md'), 'utf8');
    const [, copy = ''] = /^sudo (cp -r .* \/var\/lib\/lastcall)\b/m.exec(readme) ?? [];
    await host.succeed('rm', '-rf', '/var/lib/lastcall', '/var/lib/private/lastcall');
    cpSync(sandbox.stateDir, host.path('/home/me/.local/state/lastcall'), { recursive: true });
    await host.succeed('env', 'HOME=/home/me', 'sh', '-c', copy.replace('~', '$HOME'));
    await using unit = await BotUnit.install(host, sandbox);
    expect(await unit.systemctl('start')).toMatchObject({ code: 0 });
    await allAnswered(sandbox);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(await unit.told('inbox.recovered')).toHaveLength(1);
  });

  it('is not killed by its watchdog while its inbox is full', async () => {
    await using sandbox = await openSandbox();
    await using unit = await BotUnit.install(host, sandbox, {
      // Full for longer than a step may outlast its latest end (5 s) and the watchdog waits.
      env: { HANDLER_MS: '7500', INBOX_LIMIT: '1' },
      service: { WatchdogSec: '1' },
    });
    await unit.systemctl('start');
    const pid = await unit.pid();
    sandbox.say({ chat: 1, text: 'first' });
    await unit.until('StatusText', /^polling as @\S+, 1 running/);
    sandbox.say({ chat: 2, text: 'second' });
    await unit.until('StatusText', /^inbox full for 6 s, 1 running, 0 handled$/);
    await unit.until('StatusText', /^polling as @/);
    await allAnswered(sandbox);
    expect(await unit.pid()).toBe(pid);
    expect(await unit.show('NRestarts')).toBe('0');
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  it('hands over to another unit: the new one stands by, then handles what the old one left', async () => {
    await using sandbox = await openSandbox();
    const options = { env: { HANDLER_MS: '400', STOP_TIMEOUT: '600ms', CONCURRENCY: '4' } };
    await using blue = await BotUnit.install(host, sandbox, options, 'lastcall@blue');
    await using green = await BotUnit.install(host, sandbox, options, 'lastcall@green');
    expect(await blue.systemctl('start')).toMatchObject({ code: 0 });
    sayLots(sandbox, 20, 'load');
    await sandbox.waitFor(() => sandbox.callCount('sendMessage') >= 4);

    expect(await green.systemctl('start')).toMatchObject({ code: 0 });
    expect(await green.show('StatusText')).toBe(`standing by, process ${await blue.pid()} polls`);
    const pollsBefore = sandbox.state().polls;
    await blue.systemctl('stop');
    const stoppedAt = performance.now();
    await sandbox.waitFor(() => sandbox.state().polls > pollsBefore + 1);
    expect(performance.now() - stoppedAt).toBeLessThan(1_000);

    await allAnswered(sandbox);
    expect(mishaps(sandbox)).toMatchObject({ lost: 0 });
    expect(sandbox.state().conflicts).toBe(0);
    expect(await green.show('StatusText')).toMatch(/^polling as @/);
    const { left } = countsOf((await blue.receipt()) as LogLine);
    expect(left).toBeGreaterThan(0);
    expect(await green.told('inbox.recovered')).toMatchObject([{ updates: left, died: 0 }]);
    expect(await green.told('previous-run.killed')).toEqual([]);
    // What one unit has written is the other's as well, and nobody else's.
    const found = await host.succeed('find', '/var/lib/private/lastcall', '-printf', '%u %m\\n');
    const owners = found.trim().split('\n');
    expect(new Set(owners)).toEqual(new Set(['lastcall 700', 'lastcall 600']));
  });

  describe('the journal', () => {
    it('finds exactly the warnings by `-p warning`, and ends with the receipt', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox);
      await unit.systemctl('start');
      sandbox.addFault({ kind: 'html', status: 502, method: 'getUpdates', times: 2 });
      sandbox.addFault({ kind: 'error', status: 400, method: 'sendMessage', times: 1 });
      sandbox.say('hello');
      await unit.until('StatusText', /^polling as/);
      await sandbox.waitFor(() => sandbox.callCount('sendMessage') >= 1);
      await unit.systemctl('stop');

      const lines = await unit.log();
      const levels = lines.map(({ MESSAGE }) => JSON.parse(MESSAGE).level);
      const loud = lines.filter((_, index) => levels[index] !== 'info').map(({ MESSAGE }) => MESSAGE);
      expect((await unit.log('-p', 'warning')).map(({ MESSAGE }) => MESSAGE)).toEqual(loud);
      expect(new Set(levels)).toEqual(new Set(['info', 'warn', 'error']));
      expect(await unit.receipt()).toMatchObject({ outcome: 'clean' });
    });

    it('gives each line of what is pretty its priority', async () => {
      await using sandbox = await openSandbox();
      await using unit = await BotUnit.install(host, sandbox, { env: { LOG_FORMAT: 'pretty' } });
      await unit.systemctl('start');
      sandbox.addFault({ kind: 'error', status: 400, method: 'sendMessage', times: 1 });
      sandbox.say('hello');
      await sandbox.waitFor(() => sandbox.callCount('sendMessage') >= 1);
      await unit.systemctl('stop');

      const errors = (await unit.log('-p', 'err')).map(({ MESSAGE }) => MESSAGE);
      expect(errors.length).toBeGreaterThan(2);
      expect(errors[0]).toContain('ERROR');
      expect(errors.slice(1).join('\n')).toContain('    at ');
      expect((await unit.log()).filter(({ MESSAGE }) => MESSAGE.startsWith('<'))).toEqual([]);
    });
  });
});
