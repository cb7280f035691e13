import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { config } from '../../src/cli/config.js';
import { settingKeys, settings } from '../../src/config/schema.js';
import { runCommand } from '../support/command-run.js';

const TOKEN = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';
let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'lastcall-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runCommand(config, args, { env: { HOME: '/home/ann', container: 'none', ...env }, cwd });

describe('lastcall config', () => {
  it('shows the URL of a database without its password, also where it cannot be used', async () => {
    for (const INBOX of ['postgres://bot:not-shown@localhost/bots', 'postgres://bot:not-shown@localhost/'])
      for (const args of [[], ['--json']]) {
        const { stdout, stderr } = await run(args, { INBOX });
        expect(`${stdout}${stderr}`).not.toContain('not-shown');
        expect(`${stdout}${stderr}`).toContain('postgres://bot:***@localhost/');
      }
  });

  it('prints the name, value and source of every setting in columns', async () => {
    writeFileSync(join(cwd, '.env'), `BOT_TOKEN=${TOKEN}\nSTOP_TIMEOUT=120s\n`);
    const { exitCode, stdout, stderr } = await run(['--no-delete-webhook'], { CONCURRENCY: '12' });
    expect(exitCode).toBe(0);
    expect(stderr).toBe('');
    const lines = stdout.split('\n');
    expect(lines).toHaveLength(settingKeys.length + 1);
    const rows = lines.slice(0, -1).map((line) => line.split(/ {2,}/));
    expect(rows.map(([name]) => name)).toEqual(settingKeys.map((key) => settings[key].name));
    expect(rows).toContainEqual(['BOT_TOKEN', '123456789:***', '.env:1']);
    expect(rows).toContainEqual(['STOP_TIMEOUT', '2m', '.env:2']);
    expect(rows).toContainEqual(['CONCURRENCY', '12', 'environment']);
    expect(rows).toContainEqual(['DELETE_WEBHOOK', 'no', '--no-delete-webhook']);
    expect(rows).toContainEqual(['STOP_AFTER', '(never)', 'default']);
    const sourceColumns = rows.map((row, index) => lines[index]?.lastIndexOf(row[2] ?? '?'));
    expect(new Set(sourceColumns).size).toBe(1);
  });

  it('exits 78 with all problems, and prints the other settings', async () => {
    const { exitCode, stdout, stderr } = await run(['--x'], {
      LASTCALL_CONCURRENCY: 'many',
      BOT_TOKEN: `${TOKEN}!`,
    });
    expect(exitCode).toBe(78);
    expect(stdout).toMatch(/CONCURRENCY +\(cannot be used\) +environment, as LASTCALL_CONCURRENCY$/m);
    expect(stdout).toMatch(/BOT_TOKEN +\(cannot be used\) +environment/);
    expect(stderr).toContain('3 things are wrong with the settings');
    expect(stdout + stderr).not.toContain('AA');
  });

  it('prints warnings', async () => {
    writeFileSync(join(cwd, '.env'), 'LOG_LEVL=debug\n');
    const { exitCode, stderr } = await run([]);
    expect(exitCode).toBe(0);
    expect(stderr).toBe('warning: .env sets LOG_LEVL, which is not a setting; did you mean LOG_LEVEL?\n');
  });

  it('shows by which of two names a setting is in force, and which value is left to the program', async () => {
    writeFileSync(join(cwd, '.env'), 'LOG_LEVEL=verbose\nLASTCALL_CONCURRENCY=9\nLASTCALL_LOG_FORMT=json\n');
    const { exitCode, stdout, stderr } = await run([], { CONCURRENCY: 'auto', LASTCALL_INBX: 'memory' });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^CONCURRENCY +9 +\.env:2, as LASTCALL_CONCURRENCY$/m);
    expect(stdout).toMatch(/^LOG_LEVEL +info +default$/m);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'warning: LASTCALL_INBX is not a setting; did you mean LASTCALL_INBOX?',
      'warning: .env sets LASTCALL_LOG_FORMT, which is not a setting; did you mean LASTCALL_LOG_FORMAT?',
      expect.stringMatching(
        /^warning: LOG_LEVEL \(\.env:1\) is left to the bot program, .* default, info\. To set it, use LASTCALL_LOG_LEVEL or --log-level: one of trace, /,
      ),
    ]);
    expect(stderr).not.toContain('verbose');
  });

  it('shows what a run in the container would make of the settings', async () => {
    const inContainer = { container: 'docker', STATE_DIR: '/lastcall-state' };
    const { exitCode, stdout, stderr } = await run([], inContainer);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^INBOX +memory +the container, which has no volume there$/m);
    expect(stdout).toMatch(/^GRACE +10s +default, from Docker$/m);
    expect(stderr).toMatch(/^warning: \/lastcall-state \(STATE_DIR\) is on .*INBOX=memory/m);
    expect(stderr).toMatch(/^warning: a stop may take only 9\.6 s, because .* at least 95 s/m);
    const set = await run([], { ...inContainer, LASTCALL_GRACE: '95s', INBOX: 'journal' });
    expect(set.stdout).toMatch(/^INBOX +journal +environment$/m);
    expect(set.stderr).toMatch(/^warning: .*the updates in the inbox.*\n$/);
  });

  it('prints JSON for programs', async () => {
    const { exitCode, stdout } = await run(['--json'], { LASTCALL_CONCURRENCY: 'many', BOT_TOKEN: TOKEN });
    expect(exitCode).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({
      settings: {
        BOT_TOKEN: { value: '123456789:***', source: 'environment', usable: true },
        CONCURRENCY: { value: null, source: 'environment, as LASTCALL_CONCURRENCY', usable: false },
        STOP_AFTER: { value: null, source: 'default', usable: true },
      },
      warnings: [],
      problems: ['LASTCALL_CONCURRENCY is "many" in the environment: expected a whole number of at least 1'],
    });
    expect(stdout).not.toContain('AA');
  });
});
