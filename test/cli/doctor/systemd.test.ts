import { symlinkSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { surroundingsOf, unitsOf } from '../../../src/cli/doctor/surroundings.js';
import { checkUnit } from '../../../src/cli/doctor/systemd.js';
import { parseTimeSpan, parseUnits } from '../../../src/cli/doctor/systemd-facts.js';
import { textOf, troubles } from '../../support/findings.js';
import { Folder } from '../../support/folder.js';

/** What `systemctl show` of systemd 252 prints of the shipped unit. */
const shipped = `Type=notify
Restart=always
NotifyAccess=main
RestartUSec=5s
TimeoutStopUSec=1min 35s
WatchdogUSec=1min
RestartPreventExitStatus=78
ExecStart={ path=/usr/bin/node ; argv[]=/usr/bin/node node_modules/lastcall/dist/main.js run bot.js ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }
Environment=LASTCALL_BOOT_ID=0a1b "GREETING=good evening"
EnvironmentFiles=/etc/lastcall/lastcall.env (ignore_errors=yes)
EnvironmentFiles=/etc/lastcall/more.env (ignore_errors=no)
WorkingDirectory=/srv/bot
StateDirectory=lastcall
KillMode=mixed
MemoryDenyWriteExecute=no
Id=lastcall.service
ActiveState=active
SubState=running
FragmentPath=/etc/systemd/system/lastcall.service
UnitFileState=enabled
StartLimitIntervalUSec=0
StartLimitBurst=5
Result=success
ExecMainStatus=0
NeedDaemonReload=no
`;
const stranger =
  'Id=cron.service\nExecStart={ path=/usr/sbin/cron ; argv[]=/usr/sbin/cron -f ; ignore_errors=no }\n';
const files: Readonly<Record<string, string>> = {
  '/etc/systemd/system/lastcall.service': '[Service]\nLoadCredential=bot-token:/etc/lastcall/bot-token\n',
  '/etc/lastcall/lastcall.env': '# mine\nSTOP_TIMEOUT=30s\nNAME="a b"\n',
};

const parse = (text: string) => parseUnits(text, (path) => files[path]);
const [unit] = parse(shipped);
const changed = (...lines: readonly string[]) => {
  const names = lines.map((line) => `${line.split('=')[0]}=`);
  const rest = shipped.split('\n').filter((line) => !names.some((name) => line.startsWith(name)));
  const [found] = parse([...lines, ...rest].join('\n'));
  if (!found) throw new Error('no unit');
  return found;
};

describe('what systemctl shows', () => {
  it('is read, of the units that run lastcall', () => {
    const units = parse(`${stranger}\n${shipped}\n${shipped}`);
    expect(units.map(({ name }) => name)).toEqual(['lastcall.service']);
    expect(units[0]).toMatchObject({
      argv: ['/usr/bin/node', 'node_modules/lastcall/dist/main.js', 'run', 'bot.js'],
      env: { LASTCALL_BOOT_ID: '0a1b', GREETING: 'good evening', STOP_TIMEOUT: '30s', NAME: 'a b' },
      tokenFile: '/etc/lastcall/bot-token',
    });
  });

  it.each([
    ['1min 35s', 95_000],
    ['500ms', 500],
    ['0', 0],
    ['1month', 2_629_800_000],
    ['infinity', Number.POSITIVE_INFINITY],
  ])('has times such as %s', (text, ms) => expect(parseTimeSpan(text)).toBe(ms));
});

describe('a unit', () => {
  it.each<[string, readonly string[], readonly string[], RegExp]>([
    ['as shipped', [], [], /lastcall\.service: active \(running\), TimeoutStopSec 1min 35s$/],
    ['with less time, which it gives on request', ['TimeoutStopUSec=30s'], [], /30s, which lastcall extends/],
    ['with next to no time', ['TimeoutStopUSec=1s'], ['unit: warning'], /may not come to ask/],
    [
      'with less time, for good',
      ['TimeoutStopUSec=30s', 'Type=simple', 'NotifyAccess=none'],
      ['unit: wrong'],
      /kills the bot 30s after[\s\S]*STOP_TIMEOUT is 1 min 30 s[\s\S]*TimeoutStopSec=95/,
    ],
    ['with the time, for good', ['Type=simple', 'NotifyAccess=none'], [], /1min 35s/],
    [
      'that has failed',
      ['ActiveState=failed', 'Result=exit-code', 'ExecMainStatus=78'],
      ['unit: wrong'],
      /journalctl -u/,
    ],
    ['that has changed', ['NeedDaemonReload=yes'], ['unit: warning'], /daemon-reload/],
    ['that is not enabled', ['UnitFileState=disabled'], ['unit: warning'], /systemctl enable/],
    ['that keeps Node from compiling', ['MemoryDenyWriteExecute=yes'], ['unit: wrong'], /cannot compile/],
    ['that signals children', ['KillMode=control-group'], ['unit: warning'], /KillMode=mixed/],
    ['that is never started again', ['Restart=no'], ['unit: warning'], /a fault leaves the bot dead/],
    ['that is started again after faults', ['Restart=on-failure'], ['unit: warning'], /a stray stop signal/],
    [
      'that is started again for nothing',
      ['RestartPreventExitStatus='],
      ['unit: warning'],
      /no restart mends/,
    ],
    [
      'that gives up',
      ['StartLimitIntervalUSec=10s', 'RestartUSec=100ms'],
      ['unit: warning'],
      /\[Unit\][\s\S]*StartLimitIntervalSec=0/,
    ],
    ['that is too slow to give up', ['StartLimitIntervalUSec=10s'], [], /active/],
    ['without a watchdog', ['WatchdogUSec=0'], ['unit: warning'], /WatchdogSec=60/],
    [
      'that starts npx',
      ['ExecStart={ path=/usr/bin/npx ; argv[]=/usr/bin/npx lastcall run bot.js ; ignore_errors=no }'],
      ['unit: wrong'],
      /lastcall unit FILE/,
    ],
  ])('%s', (_, lines, found, words) => {
    const findings = checkUnit(changed(...lines), 90_000);
    expect(troubles(findings)).toEqual(found);
    expect(textOf(findings)).toMatch(words);
  });
});

describe('the unit of a bot', () => {
  const units = unit ? [unit] : [];
  const elsewhere = changed('WorkingDirectory=/srv/other', 'Id=other.service');

  it('is that of the folder or of the file, or the only one', () => {
    expect(unitsOf([...units, elsewhere], { cwd: '/srv/bot', file: undefined })).toEqual(units);
    expect(unitsOf([...units, elsewhere], { cwd: '/', file: 'srv/bot/bot.js' })).toEqual(units);
    expect(unitsOf(units, { cwd: '/root', file: undefined })).toEqual(units);
    expect(unitsOf([...units, elsewhere], { cwd: '/root', file: undefined })).toEqual([]);
    expect(unitsOf(units, { cwd: '/srv/bot', file: 'another.js' })).toEqual([]);
  });

  it('may have the file from BOT_MODULE', () => {
    const argv = ['node', '/srv/bot/node_modules/lastcall/dist/main.js', 'run'];
    const named = units.map((each) => ({ ...each, argv, env: { BOT_MODULE: 'shop.js' } }));
    expect(unitsOf(named, { cwd: '/srv/bot', file: 'shop.js' })).toEqual(named);
    expect(unitsOf(named, { cwd: '/srv/bot', file: 'bot.js' })).toEqual([]);
  });

  it('may be reached by a symbolic link', () => {
    using folder = new Folder({ 'real/bot.js': '' });
    symlinkSync(folder.file('real'), folder.file('link'));
    const linked = changed(`WorkingDirectory=${folder.file('link')}`);
    const all = [...units, linked];
    expect(unitsOf(all, { cwd: folder.file('real'), file: undefined })).toEqual([linked]);
    expect(unitsOf(all, { cwd: folder.path, file: 'real/bot.js' })).toEqual([linked]);
    const shell = { cwd: '/', env: {}, file: undefined };
    expect(surroundingsOf([linked], shell).cwd).toBe(folder.file('real'));
  });

  it('has the settings, unless the shell has a token', () => {
    const shell = { cwd: '/root', env: { HOME: '/root' }, file: undefined };
    expect(surroundingsOf(units, shell)).toMatchObject({
      unit: { name: 'lastcall.service' },
      cwd: '/srv/bot',
      file: 'bot.js',
      env: { HOME: '/root', STOP_TIMEOUT: '30s', STATE_DIRECTORY: '/var/lib/lastcall' },
      closedToken: expect.stringContaining('/etc/lastcall/bot-token'),
    });
    const own = { ...shell, env: { BOT_TOKEN: '1:x' } };
    expect(surroundingsOf(units, own)).toMatchObject({ unit: undefined, cwd: '/root', env: own.env });
    expect(surroundingsOf([], shell)).toMatchObject({ unit: undefined, cwd: '/root' });
  });

  it('has the token of its credential, where this user may read it', () => {
    using folder = new Folder({ token: '1:x' });
    const open = units.map((each) => ({ ...each, tokenFile: folder.file('token') }));
    const around = surroundingsOf(open, { cwd: '/', env: {}, file: undefined });
    expect(around).toMatchObject({ env: { BOT_TOKEN_FILE: folder.file('token') }, closedToken: undefined });
  });
});
