import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse as parseDotenv } from 'dotenv';
import { helpText } from '../../src/config/help.js';
import { loadConfig } from '../../src/config/load.js';
import { flagOf, settingKeys, settings } from '../../src/config/schema.js';
import { settingsMarkdown } from '../support/readme-tables.js';

const rows = settingKeys.map((key) => settings[key]);

describe('the schema', () => {
  it('names every setting once, and its unit where it has one', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    for (const key of settingKeys) {
      expect(settings[key].name).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(key.endsWith('Ms')).toBe(settings[key].type.expects.startsWith('a duration'));
    }
  });

  it('has a help text for people on every setting', () => {
    for (const { help } of rows) expect(help).toMatch(/^[A-Za-z].{10,}\.$/);
  });
});

describe('the help', () => {
  it('names every setting, its flag and its default, in 80 columns', () => {
    const text = helpText();
    for (const setting of rows) {
      expect(text).toContain(`\n  ${setting.name}`);
      expect(text).toContain(`(default: ${setting.fallback})`);
      const flag = flagOf(setting);
      if (flag) expect(text).toMatch(new RegExp(`--(\\[no-\\])?${flag} `));
    }
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    const prose = text.split('\n').filter((line) => line.startsWith('      '));
    for (const line of prose) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('is a Markdown table, too', () => {
    const lines = settingsMarkdown().split('\n');
    expect(lines).toHaveLength(rows.length + 2);
    for (const line of lines) expect(line.match(/(?<!\\)\|/g)).toHaveLength(4);
    expect(lines).toContainEqual(
      expect.stringMatching(/^\| `CONCURRENCY`<br>`--concurrency`<br>shared \| 256 \| How many/),
    );
  });
});

describe('.env.example', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', '.env.example'), 'utf8');
  const switchedOn = text.replace(/^#(?=[A-Z_]+=)/gm, '');

  it('names every setting that can stand in it', () => {
    const expected = rows.filter(({ notInEnvFile }) => !notInEnvFile).map(({ name }) => name);
    expect(Object.keys(parseDotenv(switchedOn)).sort()).toEqual(expected.sort());
    expect(Object.keys(parseDotenv(text))).toEqual(['BOT_TOKEN']);
  });

  it('shows the defaults', async () => {
    const withFile = (content: string) =>
      loadConfig({ env: { HOME: '/h' }, cwd: '/', readFile: async () => content });
    const [example, plain] = await Promise.all([withFile(switchedOn), withFile('')]);
    expect(example.config).toEqual(plain.config);
    expect(example.warnings).toEqual([]);
  });
});
