import { describe, expect, it } from '@jest/globals';
import { checkPm2, type Pm2App } from '../../../src/cli/doctor/pm2.js';
import { findPm2Apps, parseApps } from '../../../src/cli/doctor/pm2-facts.js';
import { checkSupervisor, type SupervisorFacts } from '../../../src/cli/doctor/supervisor.js';
import { textOf, troubles } from '../../support/findings.js';
import { Folder, repository } from '../../support/folder.js';

const STOP_MS = 90_000;
const app: Pm2App = {
  ...{ name: 'shop', from: 'process 7', script: '/srv/bot/node_modules/lastcall/dist/main.js' },
  ...{ ecosystem: 'ecosystem.config.cjs', killTimeout: '95000', stopExitCodes: '78', file: 'bot.js' },
};
const bot = { pid: 7, ppid: 1, argv: ['node', '/dist/main.js', 'run'], env: {}, cwd: '/srv/bot' };

describe("pm2's app", () => {
  it.each<[string, Partial<Pm2App>, readonly string[], RegExp]>([
    ['as shipped', {}, [], /app shop \(process 7\): kill_timeout 95000 ms/],
    [
      'with the default time',
      { killTimeout: undefined },
      ['pm2: warning'],
      /killed 1600 ms after a stop begins \(kill_timeout is not set\), so a stop gets 1\.2 s[\s\S]*kill_timeout: 95000/,
    ],
    [
      'with little time',
      { killTimeout: '1600' },
      ['pm2: warning'],
      /\(kill_timeout\), so a stop gets 1\.2 s/,
    ],
    [
      'that is started again for nothing',
      { stopExitCodes: '7,178' },
      ['pm2: warning'],
      /stop_exit_codes: \[78\]/,
    ],
    [
      'that starts npm',
      { script: '/usr/bin/npm' },
      ['pm2: wrong'],
      /keeps the stop signal[\s\S]*in ecosystem\.config\.cjs/,
    ],
    [
      'that starts npx in one text',
      { script: 'npx lastcall run bot.js' },
      ['pm2: wrong'],
      /keeps the stop signal/,
    ],
    [
      'whose ecosystem file is there',
      { killTimeout: '1600' },
      ['pm2: warning'],
      /pm2 restart ecosystem\.config\.cjs --update-env/,
    ],
    [
      'without an ecosystem file',
      { killTimeout: '1600', ecosystem: undefined },
      ['pm2: warning'],
      /cp node_modules\/lastcall\/ecosystem\.config\.js ecosystem\.config\.mjs\npm2 delete shop && pm2 start/,
    ],
  ])('%s', (_, changed, found, words) => {
    const findings = checkPm2({ ...app, ...changed }, STOP_MS);
    expect(troubles(findings)).toEqual(found);
    expect(textOf(findings)).toMatch(words);
  });

  it('is known by its process', async () => {
    const env = { pm_id: '0', name: 'shop', pm_exec_path: app.script, kill_timeout: '1600' };
    expect(await findPm2Apps([{ ...bot, env }], '/')).toMatchObject([{ name: 'shop', killTimeout: '1600' }]);
    const args = '[{ "script": "lastcall", "args": ["run", "shop.js"] }]';
    expect(parseApps(args, 'file', '/')).toMatchObject([{ file: 'shop.js' }]);
  });

  it('is known by the ecosystem file, which is loaded as pm2 does', async () => {
    const [shipped] = await findPm2Apps([bot], repository);
    expect(shipped).toMatchObject({ name: 'lastcall', from: 'ecosystem.config.js', killTimeout: '95000' });
    using folder = new Folder({
      'ecosystem.config.cjs': "module.exports = { apps: [{ script: 'npx', args: 'lastcall run' }] };",
    });
    expect(await findPm2Apps([], folder.path)).toMatchObject([
      {
        script: 'npx',
        from: 'ecosystem.config.cjs',
        ecosystem: 'ecosystem.config.cjs',
        killTimeout: undefined,
      },
    ]);
    folder.write('ecosystem.config.cjs', 'nonsense(');
    expect(await findPm2Apps([], folder.path)).toEqual([]);
  });

  it('is none that runs something else', () => {
    expect(parseApps('', 'file', '/')).toEqual([]);
    using folder = new Folder({
      'package.json': JSON.stringify({
        scripts: { start: 'lastcall run bot.js', 'start:web': 'node web.js' },
      }),
    });
    const filesOf = (...apps: readonly object[]) =>
      parseApps(JSON.stringify(apps), 'file', folder.path).map(({ file }) => file);
    expect(
      filesOf(
        { script: 'web.js' },
        { script: 'npm', args: 'run start:web' },
        { script: 'npm', args: ['run', 'build'] },
        { script: 'yarn', args: 'start:web' },
        { script: 'npx', args: 'serve' },
        { script: 'npm', args: 'start', cwd: 'web' },
        { script: 'dist/main.js' },
        { script: './dist/main.js', args: 'web' },
      ),
    ).toStrictEqual([]);
    expect(
      filesOf(
        { script: 'npm', args: 'start' },
        { script: 'npm', args: ['run', 'start'] },
        { script: 'npx lastcall run a.js' },
        { script: './dist/main.js', args: 'run b.js' },
        { script: 'node_modules/lastcall/dist/main.js', args: ['run'] },
        { script: 'npm', args: 'exec lastcall run c.js' },
      ),
    ).toStrictEqual(['bot.js', 'bot.js', 'a.js', 'b.js', undefined, 'c.js']);
  });
});

describe('the supervisor', () => {
  const healthy: SupervisorFacts = {
    ...{ units: [], otherUnits: 0, apps: [], container: undefined, processes: [bot] },
    stopTimeoutMs: STOP_MS,
  };
  const wrapped = { pid: 7, wrapper: { name: 'npm', pid: 6 } };

  it.each<[string, Partial<SupervisorFacts>, readonly string[], RegExp]>([
    ['is none', {}, [], /nothing restarts the bot/],
    ['is pm2', { apps: [app] }, [], /^app shop/],
    ['does not answer', { units: undefined }, ['unit: skipped'], /systemctl/],
    ['is that of other bots', { otherUnits: 2 }, ['unit: skipped'], /2 of this host run/],
    [
      'is a container with time',
      { container: { runtime: 'Docker', graceMs: 95_000 } },
      [],
      /Docker leaves a stop 1 min 35 s/,
    ],
    [
      'is a container without time',
      { container: { runtime: 'Docker', graceMs: 10_000 } },
      ['container: warning'],
      /a stop gets 9\.6 s[\s\S]*stop_grace_period: 95s/,
    ],
    [
      'has npm in between',
      { processes: [wrapped] },
      ['wrapper: warning'],
      /npm \(process 6\) has started the bot \(7\)/,
    ],
  ])('%s', (_, changed, found, words) => {
    const findings = checkSupervisor({ ...healthy, ...changed });
    expect(troubles(findings)).toEqual(found);
    expect(textOf(findings)).toMatch(words);
  });
});
