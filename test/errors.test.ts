/** Checks each row of the error table: its texts are usable, and its code is raised somewhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { settingKeys, settings } from '../src/config/schema.js';
import { type ErrorCode, errorTable, LastcallError } from '../src/errors.js';
import { ExitCode } from '../src/exit-code.js';

const root = join(import.meta.dirname, '..', 'src');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'errors.ts')
  .map((file) => readFileSync(join(root, file), 'utf8'));
const settingNames = settingKeys.map((key) => settings[key].name);
/** Names that belong to systemd. */
const systemdNames = ['NOTIFY_SOCKET', 'AF_UNIX'];

const isCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code);
const codes = Object.keys(errorTable).filter(isCode);

describe.each(codes)('%s', (code) => {
  const { exitCode, likelyCause, nextStep } = errorTable[code];

  it('has a likely cause and a next step that fit into a line of text', () => {
    for (const text of [likelyCause, nextStep]) {
      expect(text.length).toBeGreaterThan(15);
      expect(text).toMatch(/^\S.*[^.\s]$/);
    }
  });

  it('names only settings that exist', () => {
    const named = `${likelyCause} ${nextStep}`.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [];
    expect([...settingNames, ...systemdNames]).toEqual(expect.arrayContaining(named));
  });

  it('has a documented exit code other than 0', () => {
    expect(Object.values(ExitCode)).toContain(exitCode);
    expect(exitCode).not.toBe(ExitCode.clean);
  });

  it('is raised somewhere', () => {
    expect(sources.some((source) => source.includes(`'${code}'`))).toBe(true);
  });

  it('gives its error the exit code and the texts', () => {
    const cause = new Error('why');
    const error = new LastcallError(code, 'somebody', 'something happened', { cause });
    expect(error).toMatchObject({
      name: 'LastcallError',
      message: 'something happened',
      ...{ code, culprit: 'somebody', exitCode, likelyCause, nextStep, cause },
    });
  });
});
