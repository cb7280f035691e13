import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { BotOutput, type BotOutputOptions } from '../../src/cli/bot-output.js';
import { BotLog } from '../../src/sandbox/bot-log.js';

/** Has a bot write chunks, and returns what is written on and what the log has then. */
async function written(
  chunks: readonly string[],
  { source = 'stdout', ...options }: Partial<BotOutputOptions> & { source?: 'stdout' | 'stderr' } = {},
) {
  const log = new BotLog();
  const stream = new PassThrough();
  let text = '';
  new BotOutput({ log, isPretty: false, hasColour: false, ...options }).take(source, stream, {
    write: (chunk) => (text += chunk),
  });
  const ended = new Promise((resolve) => stream.once('end', resolve));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await ended;
  return { text, lines: log.lines.map(({ number: _number, atMs: _atMs, ...line }) => line) };
}

const line = `${JSON.stringify({ level: 'warn', time: '2026-01-02T03:04:05.678Z', pid: 7, event: 'x', msg: 'careful', port: 80 })}\n`;

describe('the output of a bot', () => {
  it('goes on as it is where a program reads it, and is kept by level', async () => {
    const { text, lines } = await written([line]);
    expect(text).toBe(line);
    expect(lines).toEqual([{ source: 'stdout', level: 'warn', text: 'careful port=80' }]);
  });

  it('goes on as text for people on a terminal', async () => {
    const { text } = await written([line], { isPretty: true });
    expect(text).toMatch(/^\d\d:04:05\.678 WARN: {2}careful port=80\n$/);
  });

  it('is taken line by line, however it is cut', async () => {
    const { text, lines } = await written(['on', 'e\ntw', 'o\n', line.slice(0, 20), line.slice(20), 'last']);
    expect(text).toBe(`one\ntwo\n${line}last\n`);
    expect(lines.map((known) => known.text)).toEqual(['one', 'two', 'careful port=80', 'last']);
  });

  it('keeps an error with its stack below the message', async () => {
    const err = { type: 'Error', message: 'no milk', stack: 'Error: no milk\n    at order (/bot.js:1:2)' };
    const { lines } = await written([`${JSON.stringify({ level: 'error', msg: 'it failed', err })}\n`]);
    expect(lines).toEqual([
      { source: 'stdout', level: 'error', text: 'it failed\nError: no milk\n    at order (/bot.js:1:2)' },
    ]);
  });

  it('knows the levels of a program that logs with pino, and leaves its lines as they are', async () => {
    const own = '{"level":40,"msg":"own"}\n';
    const { text, lines } = await written([own], { isPretty: true });
    expect(text).toBe(own);
    expect(lines).toEqual([{ source: 'stdout', level: 'warn', text: 'own' }]);
  });

  it('loses its colours only in the log, and is not taken for a log line on stderr', async () => {
    const { text, lines } = await written(['\u001b[31mred\u001b[39m\n', line], { source: 'stderr' });
    expect(text).toBe(`\u001b[31mred\u001b[39m\n${line}`);
    expect(lines.map(({ level, text: words }) => [level, words])).toEqual([
      [undefined, 'red'],
      [undefined, line.trimEnd()],
    ]);
  });

  it('fills no memory with a line that does not end', async () => {
    const { lines } = await written(Array.from({ length: 30 }, () => 'x'.repeat(100_000)));
    expect(lines.length).toBeGreaterThan(1);
  });

  it('shows no token, however it is cut', async () => {
    const token = `123456789:${'A'.repeat(35)}`;
    const json = `${JSON.stringify({ level: 'error', msg: `bot${token}/getMe` })}\n`;
    const { text, lines } = await written(['mine: 12345', token.slice(5), '\n', json]);
    expect(text).toBe(`mine: 123456789:***\n${json.replace(token, '123456789:***')}`);
    expect(lines.map((known) => known.text)).toEqual(['mine: 123456789:***', 'bot123456789:***/getMe']);
  });

  it.each([1, 5, 12, 30, 40, 50, 95, 105, 130, 150])(
    'shows no token where a long line is divided %i characters after it begins',
    async (kept) => {
      const token = `123456789:${'A'.repeat(35)}`;
      const filling = 'x'.repeat(1_000_001 - kept);
      const line = `${filling}${token} ${token} ${token} ${'y'.repeat(200)}`;
      const { text, lines } = await written([line.slice(0, 1_000_001), `${line.slice(1_000_001)}\n`]);
      expect(text.replace('\n', '')).toBe(`${line.replaceAll(token, '123456789:***')}\n`);
      expect(lines.length).toBeGreaterThan(1);
    },
  );
});
