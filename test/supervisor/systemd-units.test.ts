/** The unit files, and what `lastcall unit` prints: as systemd judges them, and run as they are. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  /** What systemd says against the unit: nothing; and how exposed it is. */
  async function judged(file: string): Promise<{ verdict: string; exposure: number }> {
    const { stdout, stderr } = await host.run('systemd-analyze', 'verify', '--man=no', file);
    const security = ['security', '--offline=true', '--no-pager', file];
    const found = await host.succeed('systemd-analyze', ...security);
    return { verdict: stdout + stderr, exposure: Number(/Overall exposure.*: ([\d.]+)/.exec(found)?.[1]) };
  }

  it.each(['lastcall.service', 'lastcall@.service'])(
    '%s is found clean, and hardly exposed',
    async (name) => {
      host.write(`/run/shipped/${name}`, shipped(name));
      const { verdict, exposure } = await judged(`/run/shipped/${name}`);
      expect(verdict).toBe('');
      expect(exposure).toBeLessThanOrEqual(MOST_EXPOSURE);
    },
  );

  describe('lastcall unit', () => {
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

    /** Installs a bot with lastcall among its packages, and prints its unit as that user. */
    async function fitted(name: string, folder: string, user: string, node = '/usr/bin/node') {
      host.write(`${folder}/bot.mjs`, bot);
      host.write(`${folder}/package.json`, '{}');
      host.write('/home/alice/.secret', 'private');
      mkdirSync(host.path(`${folder}/node_modules/lastcall`), { recursive: true });
      await host.succeed('mount', '--bind', checkout, `${folder}/node_modules/lastcall`);
      if (node !== '/usr/bin/node')
        await host.succeed(
          'sh',
          '-c',
          `mkdir -p $(dirname ${node}) && cp $(readlink -f /usr/bin/node) ${node}`,
        );
      // Not what is mounted into it: that is the checkout itself.
      await host.succeed('find', folder, '-xdev', '-exec', 'chown', '-h', user, '{}', '+');
      const command = `cd ${folder} && ${node} node_modules/lastcall/dist/main.js unit bot.mjs --name ${name}`;
      const printed = await host.run('runuser', '-u', user, '--', 'sh', '-c', command);
      expect(printed.code).toBe(0);
      host.write(`/etc/systemd/system/${name}.service`, printed.stdout);
      return printed;
    }

    /** Runs the unit as printed; resolves with what the bot's log says, the unit stopped. */
    async function tryOut(name: string): Promise<Record<string, unknown>[]> {
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

    it('needs no opening for a bot under /srv and a node of the system, as a user of its own', async () => {
      const { stdout, stderr } = await fitted('plain', '/srv/plain', 'root');
      expect(stdout).not.toMatch(/^Bind|^ReadWrite/m);
      expect(stderr).toMatch(/^warning: the bot cannot write to \/srv\/plain: .*\$STATE_DIRECTORY.*\n$/);
      const { verdict, exposure } = await judged('/etc/systemd/system/plain.service');
      expect(verdict).toBe('');
      expect(exposure).toBeLessThanOrEqual(MOST_EXPOSURE);

      const log = await tryOut('plain');
      const { path: inbox } = log.find(({ event }) => event === 'inbox.opened') ?? {};
      expect(inbox).toMatch(/^\/var\/lib\/plain\/\d+-\w+\/inbox$/);
      expect(log.find(({ event }) => event === 'test.surroundings')?.['uid']).toBeGreaterThan(60_000);
      expect(log.filter(({ event }) => event === 'test.no-notes')).toHaveLength(1);
    });

    it('opens a home just for the bot and for node from a version manager, and lets it write beside itself', async () => {
      await host.succeed('chmod', '700', '/home/alice');
      const node = '/home/alice/.nvm/versions/node/v20/bin/node';
      const { stdout, stderr } = await fitted('homely', '/home/alice/bot', 'alice', node);
      expect(stdout).toMatch(/^User=alice$/m);
      expect(stdout).toMatch(/^BindPaths=\/home\/alice\/bot$/m);
      expect(stdout).toMatch(/^BindReadOnlyPaths=\/home\/alice\/\.nvm\/versions\/node\/v20$/m);
      expect(stderr).toMatch(/^warning: the unit hides home directories/);
      expect(stderr).toMatch(/^warning: the bot may write to \/home\/alice\/bot, /m);
      const { verdict, exposure } = await judged('/etc/systemd/system/homely.service');
      expect(verdict).toBe('');
      expect(exposure).toBeLessThanOrEqual(MOST_EXPOSURE);

      const log = await tryOut('homely');
      expect(log.find(({ event }) => event === 'test.surroundings')).toMatchObject({ home: false });
      expect(host.read('/home/alice/bot/notes.txt')).toBe('hello');
    });

    it('keeps the state where the settings beside the bot say, in a home, too', async () => {
      host.write('/home/alice/stately/.env', 'STATE_DIR=/home/alice/states\n');
      const missing = await fitted('stately', '/home/alice/stately', 'alice');
      expect(missing.stderr).toMatch(/^warning: there is no folder \/home\/alice\/states, /m);
      await host.succeed('install', '-d', '-o', 'alice', '-m', '700', '/home/alice/states');
      expect((await tryOut('stately')).find(({ event }) => event === 'inbox.opened')?.['path']).toMatch(
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
      const { stdout } = await fitted(
        'rootly',
        '/tmp/rootly',
        'root',
        '/root/.nvm/versions/node/v20/bin/node',
      );
      expect(stdout).toMatch(/^DynamicUser=yes$/m);
      await tryOut('rootly');
    });
  });
});
