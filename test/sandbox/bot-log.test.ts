import { describe, expect, it } from '@jest/globals';
import { BotLog } from '../../src/sandbox/bot-log.js';
import type { LogLine } from '../../src/sandbox/bot-process.js';

describe('the log of a bot', () => {
  it('numbers and dates its lines, and tells of each', () => {
    let now = 5;
    const log = new BotLog(() => now++);
    const told: LogLine[] = [];
    log.onLine((line) => told.push(line));
    log.add({ source: 'stdout', level: 'warn', text: 'one' });
    log.add({ source: 'stderr', text: 'two' });
    expect(log.lines).toEqual([
      { number: 1, atMs: 5, source: 'stdout', level: 'warn', text: 'one' },
      { number: 2, atMs: 6, source: 'stderr', text: 'two' },
    ]);
    expect(told).toEqual(log.lines);
  });

  it('keeps the newest thousand lines, and cuts those that are very long', () => {
    const log = new BotLog();
    for (let number = 1; number <= 5_000; number++) log.add({ source: 'stdout', text: `${number}` });
    expect(log.lines).toHaveLength(1_000);
    expect(log.lines[0]).toMatchObject({ number: 4_001, text: '4001' });
    log.add({ source: 'stdout', text: 'x'.repeat(1_000_000) });
    expect(log.lines.at(-1)?.text).toHaveLength(8_001);
  });

  it('masks tokens, also where a line is cut', () => {
    const log = new BotLog();
    const token = `123456789:${'A'.repeat(35)}`;
    log.add({ source: 'stderr', text: `no answer from https://api.telegram.org/bot${token}/getMe` });
    log.add({ source: 'stderr', text: `${'x'.repeat(7_970)} ${token}` });
    expect(log.lines[0]?.text).toBe('no answer from https://api.telegram.org/bot123456789:***/getMe');
    expect(log.lines[1]?.text).toBe(`${'x'.repeat(7_970)} 123456789:***`);
  });
});
