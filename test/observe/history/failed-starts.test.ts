import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../../src/errors.js';
import { createRedactor } from '../../../src/logging/redact.js';
import {
  FAILED_STARTS_FILE,
  type Failure,
  noteFailedStart,
  readFailedStarts,
} from '../../../src/observe/history/failed-starts.js';
import { Folder } from '../../support/folder.js';
import { newToken } from '../../support/token.js';

const NOW = Date.UTC(2026, 10, 29);
const MINUTE_MS = 60_000;

const failure: Failure = {
  error: new LastcallError('BOT_MODULE_NOT_FOUND', 'bot.js', 'there is no bot.js'),
  message: 'there is no bot.js',
  ...{ exitCode: 78, supervisor: 'systemd', file: '/srv/bot.js' },
};

function note(stateDir: string, given: Partial<Failure> = {}, atMs = NOW, redact = (text: string) => text) {
  noteFailedStart(stateDir, { ...failure, ...given }, { redact, pid: 1, now: () => atMs });
}

describe('a failed start', () => {
  it('is kept with what it takes to find the reason, for its owner only', () => {
    using folder = new Folder();
    const stateDir = folder.file('not-there-yet');
    note(stateDir);
    expect(readFailedStarts(stateDir)).toEqual([
      {
        ...{ firstMs: NOW, lastMs: NOW, times: 1, exitCode: 78, code: 'BOT_MODULE_NOT_FOUND' },
        ...{ culprit: 'bot.js', message: 'there is no bot.js', supervisor: 'systemd', file: '/srv/bot.js' },
      },
    ]);
    expect(readdirSync(stateDir)).toEqual([FAILED_STARTS_FILE]);
    expect(statSync(`${stateDir}/${FAILED_STARTS_FILE}`).mode & 0o777).toBe(0o600);
  });

  it('is counted where it comes again and again, also between those of another bot', () => {
    using folder = new Folder();
    for (let minute = 0; minute < 300; minute++)
      for (const file of ['/srv/a.js', '/srv/b.js']) note(folder.path, { file }, NOW + minute * MINUTE_MS);
    const span = { times: 300, firstMs: NOW, lastMs: NOW + 299 * MINUTE_MS };
    expect(readFailedStarts(folder.path)).toMatchObject([
      { file: '/srv/a.js', ...span },
      { file: '/srv/b.js', ...span },
    ]);
    note(folder.path, { file: '/srv/a.js' }, NOW + 400 * MINUTE_MS);
    expect(readFailedStarts(folder.path).map(({ times }) => times)).toEqual([300, 300, 1]);
  });

  it('is the same whatever time it has waited, and another one for another reason', () => {
    using folder = new Folder();
    for (const message of ['none in 59.9 s', 'none in 1 min', 'bot.js:1: none', 'bot.js:2: none'])
      note(folder.path, { message });
    const counted = readFailedStarts(folder.path).map(({ times, message }) => [times, message]);
    expect(counted).toEqual([
      [2, 'none in 1 min'],
      [1, 'bot.js:1: none'],
      [1, 'bot.js:2: none'],
    ]);
  });

  it.each([
    ['100', 'short', 100],
    ['64 KiB', 'long '.repeat(1_000), 57],
  ])('gives way to later ones beyond %s', (_, message, most) => {
    using folder = new Folder();
    for (let index = 0; index < 150; index++) note(folder.path, { message: `${index} ${message}` });
    const starts = readFailedStarts(folder.path);
    expect(statSync(folder.file(FAILED_STARTS_FILE)).size).toBeLessThanOrEqual(64 * 1024);
    expect(starts.length).toBeLessThanOrEqual(most);
    expect(starts.length).toBeGreaterThanOrEqual(50);
    expect(starts.at(-1)?.message).toMatch(/^149 /);
  });

  it('holds no secret', () => {
    using folder = new Folder();
    const token = newToken();
    const redactor = createRedactor([token]);
    redactor.addPassword('hunter22');
    const message = `cannot use ${token} and postgres://me:hunter22@db`;
    const error = new LastcallError('CONFIG_INVALID', token, message);
    note(folder.path, { error, message, file: `/srv/${token}` }, NOW, redactor.redact);
    const text = JSON.stringify(readFailedStarts(folder.path));
    for (const secret of [token.split(':')[1], 'hunter22']) expect(text).not.toContain(secret);
  });

  it('is left out where it cannot be written, or somebody has put something else there', () => {
    using folder = new Folder();
    writeFileSync(folder.file('file'), '');
    note(folder.file('file'));
    mkdirSync(folder.file('state', FAILED_STARTS_FILE), { recursive: true });
    note(folder.file('state'));
    expect(readFailedStarts(folder.file('state'))).toEqual([]);
    mkdirSync(folder.file('linked'));
    writeFileSync(folder.file('elsewhere'), 'precious');
    symlinkSync(folder.file('elsewhere'), folder.file('linked', FAILED_STARTS_FILE));
    note(folder.file('linked'));
    expect(statSync(folder.file('elsewhere')).size).toBe('precious'.length);
    expect(readFailedStarts(folder.file('linked'))).toHaveLength(1);
  });

  it('makes no folder of root’s under sudo, and is kept where there is one', () => {
    using folder = new Folder();
    const noteBySudo = (stateDir: string) =>
      noteFailedStart(stateDir, failure, {
        redact: (text) => text,
        pid: 1,
        now: () => NOW,
        isBySudo: true,
      });
    noteBySudo(folder.file('state'));
    expect(readdirSync(folder.path)).toEqual([]);
    noteBySudo(folder.path);
    expect(readFailedStarts(folder.path)).toHaveLength(1);
  });

  it('is not lost by lines that this version cannot read', () => {
    using folder = new Folder();
    note(folder.path);
    const path = folder.file(FAILED_STARTS_FILE);
    const [start] = readFailedStarts(folder.path);
    writeFileSync(path, `{"firstMs":1}\n${JSON.stringify(start)}\nnull\n{"cut off`);
    expect(readFailedStarts(folder.path)).toEqual([start]);
  });
});
