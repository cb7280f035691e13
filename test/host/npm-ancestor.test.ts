import { describe, expect, it } from '@jest/globals';
import { npmAncestor, type ProcessTable } from '../../src/host/npm-ancestor.js';

const env = { npm_execpath: '/usr/lib/node_modules/npm/bin/npm-cli.js' };

/** Of processes that are each the parent of the next. */
function tableOf(...commands: string[]): ProcessTable {
  return {
    commandOf: (pid) => commands[pid - 1],
    parentOf: (pid) => (pid > 1 ? pid - 1 : undefined),
  };
}

describe('npm above the process', () => {
  it.each([
    ['its parent', 2, tableOf('init', 'npm exec lastcall run bot.js'), 2],
    ['the parent of its shell', 3, tableOf('init', 'npm start', 'sh -c lastcall run bot.js'), 2],
    ['the first process of a container', 2, tableOf('npm start', 'sh -c lastcall run bot.js'), 1],
    ['a file', 1, tableOf('/usr/bin/node /usr/lib/node_modules/npm/bin/npx-cli.js lastcall'), 1],
    ['gone, and its shell left', 2, tableOf('init', 'sh -c lastcall run bot.js'), undefined],
    ['not there', 1, tableOf('init'), undefined],
  ])('is %s', (_, parent, table, expected) => {
    expect(npmAncestor(env, parent, table)).toBe(expected);
  });

  it('is none where npm has not made the environment', () => {
    expect(npmAncestor({}, 1, tableOf('npm start'))).toBeUndefined();
  });
});
