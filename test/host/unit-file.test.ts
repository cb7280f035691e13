import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { hiddenPlaces } from '../../src/host/hidden-places.js';
import { fitUnit, type UnitFacts } from '../../src/host/unit-file.js';
import { repository } from '../support/folder.js';

const template = readFileSync(join(repository, 'systemd', 'lastcall.service'), 'utf8');

const facts: UnitFacts = {
  name: 'lastcall',
  node: '/usr/bin/node',
  main: '/srv/bot/node_modules/lastcall/dist/main.js',
  module: '/srv/bot/bot.js',
  folder: '/srv/bot',
  reads: ['/srv/bot/node_modules', '/srv/bot'],
  links: [],
  settingsAround: [],
  hidden: hiddenPlaces((path) => path),
  stateDir: undefined,
  user: undefined,
  bringsToken: false,
};

/** The values of a key in the fitted unit. */
function valuesOf(key: string, changed: Partial<UnitFacts> = {}): string[] {
  const { text } = fitUnit(template, { ...facts, ...changed });
  return [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

/** The keys whose lines differ from those of a unit without the changes. */
function changedKeys(changed: Partial<UnitFacts>): string[] {
  const plain = fitUnit(template, facts).text.split('\n');
  const lines = fitUnit(template, { ...facts, ...changed }).text.split('\n');
  return lines
    .filter((line) => /^\w+=/.test(line) && !plain.includes(line))
    .map((line) => line.split('=')[0] ?? '');
}

describe('a fitted unit', () => {
  it('has the paths of the host, and all the hardening', () => {
    expect(valuesOf('ExecStart')).toEqual([
      '/usr/bin/node /srv/bot/node_modules/lastcall/dist/main.js run bot.js',
    ]);
    expect(valuesOf('WorkingDirectory')).toEqual(['/srv/bot']);
    const keys = (text: string) => [...text.matchAll(/^\w+=/gm)].map(([key]) => key);
    expect(keys(fitUnit(template, facts).text)).toEqual(keys(template));
  });

  it('names the example bot where there is no other, since a supervised run starts none that is not named', () => {
    expect(valuesOf('ExecStart', { module: undefined })).toEqual([
      '/usr/bin/node /srv/bot/node_modules/lastcall/dist/main.js run /srv/bot/node_modules/lastcall/dist/bot.js',
    ]);
  });

  it('uses its name in all paths', () => {
    const name = 'my-bot';
    expect(valuesOf('StateDirectory', { name })).toEqual(['my-bot']);
    expect(valuesOf('LoadCredential', { name })).toEqual(['bot-token:/etc/my-bot/bot-token']);
    expect(valuesOf('EnvironmentFile', { name })).toEqual(['-/etc/my-bot/my-bot.env']);
  });

  it('runs as the user, who can write to the folder and keeps its shared memory', () => {
    expect(changedKeys({ user: 'alice' })).toEqual(['User', 'ReadWritePaths', 'RemoveIPC']);
    expect(valuesOf('DynamicUser', { user: 'alice' })).toEqual([]);
    expect(valuesOf('ReadWritePaths', { user: 'alice' })).toEqual(['/srv/bot']);
  });

  it('opens only what is needed of a home directory, and each path once', () => {
    const home: Partial<UnitFacts> = {
      user: 'alice',
      node: '/home/alice/.nvm/v20/bin/node',
      main: '/home/alice/bots/shop/node_modules/lastcall/dist/main.js',
      module: '/home/alice/bots/shop/src/bot.js',
      folder: '/home/alice/bots/shop',
      reads: ['/home/alice/bots/shop/node_modules', '/home/alice/bots/shop'],
    };
    expect(valuesOf('ProtectHome', home)).toEqual(['tmpfs']);
    expect(valuesOf('BindPaths', home)).toEqual(['/home/alice/bots/shop']);
    expect(valuesOf('BindReadOnlyPaths', home)).toEqual(['/home/alice/.nvm/v20']);
    expect(valuesOf('ReadWritePaths', home)).toEqual([]);
    expect(fitUnit(template, { ...facts, ...home }).warnings).toHaveLength(2);
  });

  it('lets the bot write to STATE_DIR if it runs as a user', () => {
    const stateDir = '/var/bots/state';
    expect(valuesOf('ReadWritePaths', { user: 'alice', stateDir })).toEqual(['/srv/bot /var/bots/state']);
    expect(valuesOf('BindPaths', { user: 'alice', stateDir: '/home/alice/state' })).toEqual([
      '/home/alice/state',
    ]);
    expect(valuesOf('ReadWritePaths', { user: 'alice', stateDir: '/srv/bot/state' })).toEqual(['/srv/bot']);
    expect(valuesOf('ReadWritePaths', { stateDir })).toEqual([]);
    expect(fitUnit(template, { ...facts, stateDir }).warnings.join('\n')).toMatch(
      /cannot write to \/var\/bots\/state, which STATE_DIR names, and would not start/,
    );
  });

  it('opens the token file if it is hidden', () => {
    const reads = [...facts.reads, '/home/alice/token'];
    expect(valuesOf('BindReadOnlyPaths', { reads })).toEqual(['/home/alice/token']);
  });

  it('warns if it opens a whole home directory', () => {
    const { warnings } = fitUnit(template, { ...facts, folder: '/home/alice', module: '/home/alice/bot.js' });
    expect(warnings.join('\n')).toContain('a whole home directory');
  });

  it('opens what is around the bot just once, and writable only where that is its own', () => {
    const shop: Partial<UnitFacts> = {
      folder: '/var/home/bob/shop/packages/bot',
      module: '/var/home/bob/shop/packages/bot/bot.js',
      main: '/var/home/bob/shop/node_modules/lastcall/dist/main.js',
      reads: ['/var/home/bob/shop', '/var/home/bob/shop/node_modules', '/var/home/bob/tool'],
      hidden: hiddenPlaces((path) => (path === '/home' ? '/var/home' : path)),
    };
    const readOnly = '/var/home/bob/shop /var/home/bob/tool';
    expect(valuesOf('BindReadOnlyPaths', shop)).toEqual([readOnly]);
    expect(valuesOf('BindPaths', shop)).toEqual([]);
    expect(valuesOf('BindReadOnlyPaths', { ...shop, user: 'bob' })).toEqual([readOnly]);
    expect(valuesOf('BindPaths', { ...shop, user: 'bob' })).toEqual(['/var/home/bob/shop/packages/bot']);
    expect(fitUnit(template, { ...facts, ...shop }).opened).toContain('/var/home/bob/tool');
  });

  it('names what it does not open, with the line that would', () => {
    const links = [
      { path: '/srv/bot/pictures', target: '/home/alice/pictures' },
      { path: '/srv/bot/data', target: '/mnt/data' },
      { path: '/srv/bot/same', target: '/srv/bot/own' },
    ];
    const settingsAround = ['/srv/.env', '/home/alice/.env'];
    const warningsFor = (user?: string) =>
      fitUnit(template, { ...facts, links, settingsAround, user }).warnings.slice(1);
    const hiddenOnes = [
      'the bot does not see /home/alice/.env: if it reads it, add BindReadOnlyPaths=/home/alice/.env',
      'the bot does not see /home/alice/pictures, to which /srv/bot/pictures leads: if it uses it, add BindReadOnlyPaths= or BindPaths=/home/alice/pictures',
    ];
    expect(warningsFor()).toEqual(hiddenOnes);
    expect(warningsFor('alice')).toEqual([
      ...hiddenOnes,
      'the bot cannot write to /mnt/data, to which /srv/bot/data leads: if it does, add ReadWritePaths=/mnt/data',
    ]);
  });

  it('has no credential if the settings name the token', () => {
    expect(valuesOf('LoadCredential', { bringsToken: true })).toEqual([]);
  });

  it.each([
    ['/srv/my bot', '"/srv/my bot"'],
    ['/srv/100%', '/srv/100%%'],
    ['/srv/$HOME', '/srv/$$HOME'],
    ['/srv/a"b', '"/srv/a\\"b"'],
  ])('quotes %s so that systemd reads it unchanged', (folder, said) => {
    const module = `${folder}/bot.js`;
    const [start = ''] = valuesOf('ExecStart', { folder: '/', module, main: `${folder}/main.js` });
    expect(start).toContain(` ${said.replace(/"?$/, (end) => `/main.js${end}`)} run `);
  });

  it('quotes paths in a list', () => {
    const folder = '/srv/my bot: 1';
    expect(valuesOf('ReadWritePaths', { user: 'alice', folder, module: `${folder}/bot.js` })).toEqual([
      '"/srv/my bot\\\\: 1"',
    ]);
  });
});
