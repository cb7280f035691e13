import { closeSync, fstatSync, openSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { isJournald, levelOf, withPriority } from '../../src/logging/journald.js';
import { createLogging } from '../../src/logging/logger.js';
import { Folder } from '../support/folder.js';
import { MemoryOutput } from './memory-output.js';

describe('the journal', () => {
  it('is where JOURNAL_STREAM names the very file that is written to', () => {
    using folder = new Folder({ journal: '', other: '' });
    const [journal, other] = ['journal', 'other'].map((name) => openSync(folder.file(name), 'w'));
    if (journal === undefined || other === undefined) throw new Error('no files');
    const { dev, ino } = fstatSync(journal);
    const env = { JOURNAL_STREAM: `${dev}:${ino}` };
    expect(isJournald(env, journal)).toBe(true);
    expect(isJournald(env, other)).toBe(false);
    expect(isJournald({}, journal)).toBe(false);
    expect(isJournald({ JOURNAL_STREAM: '' }, journal)).toBe(false);
    // pm2 as a unit: in cluster mode its own stdout, the journal, is also that of its apps.
    expect(isJournald({ ...env, pm_id: '0' }, journal)).toBe(false);
    closeSync(journal);
    expect(isJournald(env, journal)).toBe(false);
    closeSync(other);
  });

  it.each([
    ['trace', 7],
    ['debug', 7],
    ['info', 6],
    ['warn', 4],
    ['error', 3],
    ['fatal', 2],
    ['unheard-of', 6],
  ])('stores %s with priority %d', (level, priority) => {
    expect(withPriority(level, 'text\n')).toBe(`<${priority}>text\n`);
  });

  it('gives each physical line its priority', () => {
    expect(withPriority('warn', 'one\n  two\n\nthree\n')).toBe('<4>one\n<4>  two\n\n<4>three\n');
  });

  it('reads the level of a line from its first field only', () => {
    expect(levelOf('{"level":"error","msg":"\\"level\\":\\"info\\""}')).toBe('error');
    expect(levelOf('{"msg":"x","level":"error"}')).toBe('info');
  });

  it.each(['json', 'pretty'] as const)('has each line of the %s log in its priority', async (logFormat) => {
    using folder = new Folder({ journal: '' });
    const fd = openSync(folder.file('journal'), 'w');
    const { dev, ino } = fstatSync(fd);
    const output = Object.assign(new MemoryOutput(), { fd });
    const { log } = await createLogging({
      config: { logLevel: 'info', logFormat },
      secrets: [],
      process: { pid: 1, env: { JOURNAL_STREAM: `${dev}:${ino}` }, stdout: output, stderr: output },
    });
    log.info('well');
    log.error(new Error('not well'));
    closeSync(fd);
    const lines = output.text.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^<6>/);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.slice(1).filter((line) => line !== '' && !line.startsWith('<3>'))).toEqual([]);
  });
});
