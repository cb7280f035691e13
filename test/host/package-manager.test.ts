import { describe, expect, it } from '@jest/globals';
import { packageManagerAbove } from '../../src/host/package-manager.js';
import type { ProcessTable } from '../../src/host/process-table.js';
import { isUnderShell } from '../../src/host/shell.js';

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
    const found = expected === undefined ? undefined : { name: 'npm', pid: expected };
    expect(packageManagerAbove(env, parent, table)).toEqual(found);
  });

  it('is none where npm has not made the environment', () => {
    expect(packageManagerAbove({}, 1, tableOf('npm start'))).toBeUndefined();
  });
});

describe('another package manager above the process', () => {
  it.each([
    ['yarn/1.22.22 npm/? node/v24.0.0 linux x64', 'node /usr/share/yarn/bin/yarn.js start', 'yarn'],
    ['yarn/4.9.1 npm/? node/v24.0.0 linux x64', 'node /app/.yarn/releases/yarn-4.9.1.cjs start', undefined],
    ['pnpm/10.0.0 npm/? node/v24.0.0 linux x64', 'node /usr/bin/pnpm start', undefined],
  ])('%s keeps signals only if it is Yarn 1', (npm_config_user_agent, command, name) => {
    const found = packageManagerAbove(
      { ...env, npm_config_user_agent },
      2,
      tableOf(command, 'sh -c lastcall'),
    );
    expect(found).toEqual(name && { name, pid: 1 });
  });
});

describe('a shell above the process', () => {
  it.each([
    ['/bin/sh -c migrate && lastcall run bot.js', true],
    ['bash /entrypoint.sh', true],
    ['sh', true],
    ['-bash', true],
    ['/sbin/docker-init -- lastcall run bot.js', false],
    ['/usr/bin/tini -- sh', false],
    ['node shell.js', false],
  ])('%s: %s', (command, expected) => {
    expect(isUnderShell(1, tableOf(command))).toBe(expected);
  });
});
