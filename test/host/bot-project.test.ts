import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { linksOutOf, loadedFolders } from '../../src/host/bot-project.js';
import { Folder } from '../support/folder.js';

/** A folder with these files, and with links that lead to the other paths of it. */
function folderWith(
  files: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>> = {},
): Folder {
  const folder = new Folder(files);
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(folder.file(path)), { recursive: true });
    symlinkSync(folder.file(target), folder.file(path));
  }
  return folder;
}

/** The folders that a bot in the folder is loaded from, by their paths in it. */
const loadedBy = (folder: Folder, bot: string): string[] =>
  loadedFolders(folder.file(bot))
    .filter((path) => path.startsWith(folder.path))
    .map((path) => path.slice(folder.path.length + 1))
    .toSorted();

describe('the folders that a bot is loaded from', () => {
  it('are its package, and the packages in every folder around it', () => {
    using folder = folderWith({
      'bots/shop/package.json': '{}',
      'bots/shop/src/bot.js': '',
      'bots/shop/node_modules/telegraf/package.json': '{}',
      'node_modules/pino/package.json': '{}',
    });
    expect(loadedBy(folder, 'bots/shop/src')).toEqual([
      'bots/shop',
      'bots/shop/node_modules',
      'node_modules',
    ]);
  });

  it('are just its own without a package', () => {
    using folder = folderWith({ 'bots/shop/bot.js': '' });
    expect(loadedBy(folder, 'bots/shop')).toEqual(['bots/shop']);
  });

  it.each([
    ['npm and yarn', 'package.json', '{"workspaces":["packages/*"]}'],
    ['pnpm', 'pnpm-workspace.yaml', 'packages: []'],
  ])('are all of its workspace (%s)', (_, file, content) => {
    using folder = folderWith({
      [`mono/${file}`]: content,
      'mono/packages/bot/package.json': '{}',
      'mono/packages/bot/bot.js': '',
    });
    expect(loadedBy(folder, 'mono/packages/bot')).toEqual(['mono']);
  });

  it('are those that links among the packages lead to, with what these load, and not a dead one', () => {
    using folder = folderWith(
      {
        'bot/package.json': '{}',
        'tools/a/package.json': '{}',
        'tools/b/package.json': '{}',
        'tools/b/lib/index.js': '',
      },
      {
        'bot/node_modules/@me/a': 'tools/a',
        'bot/node_modules/dead': 'tools/none',
        'bot/node_modules/.bin': 'tools/b',
        'tools/a/node_modules/b': 'tools/b',
        'tools/b/node_modules/a': 'tools/a',
      },
    );
    expect(loadedBy(folder, 'bot')).toEqual(
      expect.arrayContaining(['bot', 'bot/node_modules', 'tools/a', 'tools/a/node_modules', 'tools/b']),
    );
  });

  it('are not each of those in the store of a package manager', () => {
    using folder = folderWith(
      { 'bot/package.json': '{}', 'bot/node_modules/.pnpm/a@1/node_modules/a/package.json': '{}' },
      { 'bot/node_modules/a': 'bot/node_modules/.pnpm/a@1/node_modules/a' },
    );
    expect(loadedBy(folder, 'bot')).toEqual(['bot', 'bot/node_modules']);
  });

  it('are those of a linked node_modules', () => {
    using folder = folderWith(
      { 'releases/2/package.json': '{}', 'shared/node_modules/a/package.json': '{}' },
      { 'releases/2/node_modules': 'shared/node_modules' },
    );
    expect(loadedBy(folder, 'releases/2')).toEqual(['releases/2', 'shared/node_modules']);
  });
});

describe('the links of a folder', () => {
  it('are those that lead out of it, to something that a bot may write', () => {
    using folder = folderWith(
      { 'data/file': '', 'bot/own/file': '', 'shared/.env': '', 'shared/node_modules/a': '' },
      {
        'bot/data': 'data',
        'bot/inside': 'bot/own',
        'bot/dead': 'none',
        'bot/.env': 'shared/.env',
        'bot/node_modules': 'shared/node_modules',
      },
    );
    expect(linksOutOf(folder.file('bot'))).toEqual([
      { path: folder.file('bot/data'), target: folder.file('data') },
    ]);
  });
});
