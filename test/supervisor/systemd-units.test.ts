/** The unit files, and what `lastcall unit` prints: as systemd judges them, and run as they are. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { allAnswered, openSandbox } from '../support/delivery.js';
import { repository } from '../support/folder.js';
import { checkout, describeUnderSystemd, SystemdHost } from '../support/systemd-host.js';

jest.setTimeout(60_000);

/** What `systemd-analyze security` may find left open, of 10; a service without any hardening has 9.6. */
const MOST_EXPOSURE = 1.2;

const shipped = (name: string) => readFileSync(join(repository, 'systemd', name), 'utf8');
const hardening = (text: string) =>
  text
    .slice(text.indexOf('ProtectSystem='))
    .split('\n')
    .filter((line) => /^\w+=/.test(line));

/** What systemd says against the unit: nothing; and how exposed it is. */
async function judged(host: SystemdHost, file: string): Promise<{ verdict: string; exposure: number }> {
  const { stdout, stderr } = await host.run('systemd-analyze', 'verify', '--man=no', file);
  const security = ['security', '--offline=true', '--no-pager', file];
  const found = await host.succeed('systemd-analyze', ...security);
  return { verdict: stdout + stderr, exposure: Number(/Overall exposure.*: ([\d.]+)/.exec(found)?.[1]) };
}

/** A module that writes beside itself, and tells what it sees. */
const bot = `
  import { existsSync, writeFileSync } from 'node:fs';
  export default ({ bot, log }) => {
    bot.on('text', (ctx) => {
      try {
        writeFileSync(new URL('notes.txt', import.meta.url), ctx.message.text);
      } catch (error) {
        log.warn({ event: 'test.no-notes', code: error.code }, 'cannot write beside myself');
      }
      return ctx.reply('echo ' + ctx.message.text);
    });
    log.info({ event: 'test.surroundings', uid: process.getuid(), home: existsSync('/home/alice/.secret') });
  };`;

interface Installed {
  readonly node?: string;
  readonly module?: string;
  /** Other files around the bot, by their paths. */
  readonly files?: Readonly<Record<string, string>>;
  /** Links around the bot, and where they lead. */
  readonly links?: Readonly<Record<string, string>>;
  /** The folder by which the shell got to the bot. */
  readonly shell?: string;
}

/** Installs a bot with lastcall among its packages, and prints its unit as that user. */
async function fitted(
  host: SystemdHost,
  name: string,
  folder: string,
  user: string,
  { node = '/usr/bin/node', module = bot, files = {}, links = {}, shell = folder }: Installed = {},
) {
  host.write(`${folder}/bot.mjs`, module);
  host.write(`${folder}/package.json`, '{}');
  for (const [path, content] of Object.entries(files)) host.write(path, content);
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(host.path(path)), { recursive: true });
    symlinkSync(target, host.path(path));
  }
  mkdirSync(host.path(`${folder}/node_modules/lastcall`), { recursive: true });
  if (node !== '/usr/bin/node')
    await host.succeed('sh', '-c', `mkdir -p $(dirname ${node}) && cp $(readlink -f /usr/bin/node) ${node}`);
  await host.succeed('chown', '-hR', user, folder);
  // After that: the checkout is the machine's own.
  await host.succeed('mount', '--bind', checkout, `${folder}/node_modules/lastcall`);
  const command = `cd ${shell} && ${node} node_modules/lastcall/dist/main.js unit bot.mjs --name ${name}`;
  const printed = await host.run('runuser', '-u', user, '--', 'sh', '-c', command);
  expect(printed.code).toBe(0);
  host.write(`/etc/systemd/system/${name}.service`, printed.stdout);
  return printed;
}

/** Runs the unit as printed; resolves with what the bot's log says, the unit stopped. */
async function tryOut(host: SystemdHost, name: string): Promise<Record<string, unknown>[]> {
  await using sandbox = await openSandbox();
  host.write(`/etc/${name}/bot-token`, sandbox.token, 0o600);
  host.write(`/etc/${name}/${name}.env`, `TELEGRAM_API_ROOT=${sandbox.apiRoot}\n`);
  expect(await host.run('systemctl', 'enable', '--now', name)).toMatchObject({ code: 0 });
  sandbox.say('hello');
  await allAnswered(sandbox);
  await host.succeed('systemctl', 'stop', name);
  expect(await host.show(name, 'Result')).toBe('success');
  return (await host.journal('-t', 'node', `_SYSTEMD_UNIT=${name}.service`)).map(({ MESSAGE }) =>
    JSON.parse(MESSAGE),
  );
}

describe('the shipped units', () => {
  it('are hardened alike', () => {
    expect(hardening(shipped('lastcall@.service'))).toEqual(hardening(shipped('lastcall.service')));
    expect(hardening(shipped('lastcall.service')).length).toBeGreaterThan(25);
  });
});

describeUnderSystemd('units under systemd', () => {
  let host: SystemdHost;
  beforeAll(async () => {
    host = await SystemdHost.boot();
    await host.succeed('useradd', '--create-home', 'alice');
    host.write('/home/alice/.secret', 'private');
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  it.each(['lastcall.service', 'lastcall@.service'])(
    '%s is found clean, and hardly exposed',
    async (name) => {
      host.write(`/run/shipped/${name}`, shipped(name));
      const { verdict, exposure } = await judged(host, `/run/shipped/${name}`);
      expect(verdict).toBe('');
      expect(exposure).toBeLessThanOrEqual(MOST_EXPOSURE);
    },
  );

  describe('lastcall unit', () => {
    it('needs no opening for a bot under /srv and a node of the system, as a user of its own', async () => {
      const { stdout, stderr } = await fitted(host, 'plain', '/srv/plain', 'root');
      expect(stdout).not.toMatch(/^Bind|^ReadWrite/m);
      expect(stderr).toMatch(/^warning: the bot cannot write to \/srv\/plain: .*\$STATE_DIRECTORY.*\n$/);
      const { verdict, exposure } = await judged(host, '/etc/systemd/system/plain.service');
      expect(verdict).toBe('');
      expect(exposure).toBeLessThanOrEqual(MOST_EXPOSURE);

      const log = await tryOut(host, 'plain');
      const { path: inbox } = log.find(({ event }) => event === 'inbox.opened') ?? {};
      expect(inbox).toMatch(/^\/var\/lib\/plain\/\d+\/inbox$/);
      expect(log.find(({ event }) => event === 'test.surroundings')?.['uid']).toBeGreaterThan(60_000);
      expect(log.filter(({ event }) => event === 'test.no-notes')).toHaveLength(1);
    });

    it('opens a home just for the bot and for node from a version manager, and lets it write beside itself', async () => {
      await host.succeed('chmod', '700', '/home/alice');
      const node = '/home/alice/.nvm/versions/node/v20/bin/node';
      const { stdout, stderr } = await fitted(host, 'homely', '/home/alice/bot', 'alice', { node });
      expect(stdout).toMatch(/^User=alice$/m);
      expect(stdout).toMatch(/^BindPaths=\/home\/alice\/bot$/m);
      expect(stdout).toMatch(/^BindReadOnlyPaths=\/home\/alice\/\.nvm\/versions\/node\/v20$/m);
      expect(stderr).toMatch(/^warning: the unit hides home directories/);
      expect(stderr).toMatch(/^warning: the bot may write to \/home\/alice\/bot, /m);
      const { verdict, exposure } = await judged(host, '/etc/systemd/system/homely.service');
      expect(verdict).toBe('');
      expect(exposure).toBeLessThanOrEqual(MOST_EXPOSURE);

      const log = await tryOut(host, 'homely');
      expect(log.find(({ event }) => event === 'test.surroundings')).toMatchObject({ home: false });
      expect(host.read('/home/alice/bot/notes.txt')).toBe('hello');
    });

    it('keeps the state where the settings beside the bot say, in a home, too', async () => {
      host.write('/home/alice/stately/.env', 'STATE_DIR=/home/alice/states\n');
      const missing = await fitted(host, 'stately', '/home/alice/stately', 'alice');
      expect(missing.stderr).toMatch(/^warning: there is no folder \/home\/alice\/states, /m);
      await host.succeed('install', '-d', '-o', 'alice', '-m', '700', '/home/alice/states');
      expect((await tryOut(host, 'stately')).find(({ event }) => event === 'inbox.opened')?.['path']).toMatch(
        /^\/home\/alice\/states\//,
      );
      const written = await host.succeed(
        'find',
        '/home/alice/states',
        '-mindepth',
        '1',
        '-printf',
        '%u %m\\n',
      );
      expect(new Set(written.trim().split('\n'))).toEqual(new Set(['alice 700', 'alice 600']));
    });

    it("brings in root's node and a bot in /tmp for a user of its own", async () => {
      await host.succeed('chmod', '700', '/root');
      const { stdout } = await fitted(host, 'rootly', '/tmp/rootly', 'root', {
        node: '/root/.nvm/versions/node/v20/bin/node',
      });
      expect(stdout).toMatch(/^DynamicUser=yes$/m);
      await tryOut(host, 'rootly');
    });

    it('runs a bot in a folder of root, for a user of its own, and refuses one right in /root', async () => {
      await host.succeed('chmod', '700', '/root');
      const { stdout, stderr } = await fitted(host, 'root', '/root/bot', 'root', {
        files: { '/root/package.json': '{}', '/root/secret': '' },
      });
      expect(stdout).toMatch(/^BindReadOnlyPaths=\/root\/bot$/m);
      expect(stderr).not.toMatch(/whole home|may not read/);
      const log = await tryOut(host, 'root');
      expect(log.filter(({ event }) => event === 'test.no-notes')).toHaveLength(1);

      const main = '/root/bot/node_modules/lastcall/dist/main.js';
      const refused = await host.run('sh', '-c', `cd /root && cp bot/bot.mjs . && node ${main} unit bot.mjs`);
      expect(refused).toMatchObject({ code: 78, stdout: '' });
      expect(refused.stderr).toMatch(/the bot is directly in \/root, .* such as \/srv\/bot or \/root\/bot/);
    });
  });
});

describeUnderSystemd('a host whose /home is a link', () => {
  let host: SystemdHost;
  beforeAll(async () => {
    host = await SystemdHost.boot({ home: 'var/home' });
    await host.succeed('useradd', '--create-home', 'bob');
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  it('runs the bot of a workspace, with all that it loads by links and all that it reads of the workspace', async () => {
    const shop = '/home/bob/shop';
    const module = `
      import shared from '@me/shared';
      import tool from 'tool';
      import { readFileSync } from 'node:fs';
      import { cpus } from 'node:os';
      export default ({ bot, log }) => {
        const settings = readFileSync('../../.env', 'utf8');
        bot.on('text', (ctx) => ctx.reply('echo ' + ctx.message.text));
        log.info({ event: 'test.surroundings', shared, tool, settings, cpus: cpus().length });
      };`;
    const { stdout, stderr } = await fitted(host, 'shop', `${shop}/packages/bot`, 'bob', {
      node: '/home/bob/.nvm/versions/node/v20/bin/node',
      module,
      files: {
        [`${shop}/package.json`]: '{"workspaces":["packages/*"]}',
        [`${shop}/.env`]: 'SHOP=1',
        '/home/bob/.env': 'HOME_WIDE=1',
        '/home/bob/pictures/cat.jpg': '',
        [`${shop}/packages/shared/package.json`]: '{"main":"index.js"}',
        [`${shop}/packages/shared/index.js`]: "module.exports = 'hello';",
        '/home/bob/tools/tool/package.json': '{"main":"index.js"}',
        '/home/bob/tools/tool/index.js': "module.exports = require('part');",
        '/home/bob/parts/part/package.json': '{"main":"index.js"}',
        '/home/bob/parts/part/index.js': "module.exports = 'of a part';",
      },
      links: {
        [`${shop}/node_modules/@me/shared`]: '../../packages/shared',
        [`${shop}/node_modules/tool`]: '../../tools/tool',
        '/home/bob/tools/tool/node_modules/part': '../../../parts/part',
        [`${shop}/packages/bot/pictures`]: '/var/home/bob/pictures',
        '/home/bob/current': 'shop/packages/bot',
      },
      shell: '/home/bob/current',
    });
    expect(stdout).toMatch(/^ProtectHome=tmpfs$/m);
    expect(stdout).toMatch(/^BindPaths=\/var\/home\/bob\/shop\/packages\/bot$/m);
    const opened = /^BindReadOnlyPaths=(.*)$/m.exec(stdout)?.[1]?.split(' ');
    const others = ['.nvm/versions/node/v20', 'shop', 'tools/tool', 'parts/part'];
    expect(opened?.toSorted()).toEqual(others.map((path) => `/var/home/bob/${path}`).toSorted());
    expect(stderr.split('\n').slice(2, -1)).toEqual([
      'warning: the bot does not see /var/home/bob/.env: if it reads it, add BindReadOnlyPaths=/var/home/bob/.env',
      'warning: the bot does not see /var/home/bob/pictures, to which /var/home/bob/shop/packages/bot/pictures leads: if it uses it, add BindReadOnlyPaths= or BindPaths=/var/home/bob/pictures',
      'warning: /home/bob/current is a link, and the unit runs what it leads to now, /var/home/bob/shop/packages/bot: print the unit again when a deploy has moved the link',
    ]);
    expect(await judged(host, '/etc/systemd/system/shop.service')).toMatchObject({ verdict: '' });

    host.write('/etc/systemd/system/shop.service.d/cpus.conf', '[Service]\nProcSubset=all\n');
    const log = await tryOut(host, 'shop');
    const told = log.find(({ event }) => event === 'test.surroundings');
    expect(told).toMatchObject({ shared: 'hello', tool: 'of a part', settings: 'SHOP=1' });
    expect(told?.['cpus']).toBeGreaterThan(0);
  });
});
