import { describe, expect, it } from '@jest/globals';
import { logInto } from './logging.js';
import { MemoryOutput } from './memory-output.js';

describe('a line of JSON', () => {
  it('has the level as a word, the time as ISO, and no host name', async () => {
    const output = new MemoryOutput();
    const { log } = await logInto(output);
    log.info({ event: 'x.happened', durationMs: 12 }, 'It happened');
    const [line] = output.lines;
    expect(Object.keys(line ?? {})).toEqual(['level', 'time', 'pid', 'event', 'durationMs', 'msg']);
    expect(line).toMatchObject({
      level: 'info',
      pid: 42,
      event: 'x.happened',
      durationMs: 12,
      msg: 'It happened',
    });
    expect(new Date(String(line?.['time'])).toISOString()).toBe(line?.['time']);
  });

  it('is written before the call returns', async () => {
    const output = new MemoryOutput();
    const { log, flush } = await logInto(output);
    log.error(new Error('boom'));
    expect(output.lines[0]).toMatchObject({ msg: 'boom', err: { type: 'Error', stack: expect.any(String) } });
    await flush();
  });

  it('is not written below the level', async () => {
    const output = new MemoryOutput();
    const { log } = await logInto(output, { level: 'warn' });
    log.info('a');
    log.warn('b');
    expect(output.lines.map(({ msg }) => msg)).toEqual(['b']);
  });

  it('takes what JSON cannot hold', async () => {
    const output = new MemoryOutput();
    const { log } = await logInto(output);
    const circular: Record<string, unknown> = { big: 1n, never: Number.NaN };
    circular['self'] = circular;
    log.info({ circular, error: new TypeError('also under this name') }, 'odd');
    expect(output.lines[0]).toMatchObject({ error: { type: 'TypeError' }, msg: 'odd' });
  });
});

describe('the format', () => {
  const formatOf = async (given: Parameters<typeof logInto>[1]) => {
    const output = new MemoryOutput();
    const { log } = await logInto(output, given);
    log.info('hello');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what colours are made of
    const coloured = /\u001b\[/.test(output.text);
    return { format: output.text.startsWith('{') ? 'json' : 'pretty', coloured };
  };

  it.each([
    [{}, 'json', false],
    [{ isTTY: true }, 'pretty', true],
    [{ isTTY: true, format: 'json' }, 'json', false],
    [{ format: 'pretty' }, 'pretty', false],
    [{ format: 'pretty', env: { FORCE_COLOR: '1' } }, 'pretty', true],
    [{ isTTY: true, env: { FORCE_COLOR: '0' } }, 'pretty', false],
    [{ isTTY: true, env: { NO_COLOR: '1', FORCE_COLOR: '1' } }, 'pretty', false],
    [{ isTTY: true, env: { NO_COLOR: '' } }, 'pretty', true],
    [{ isTTY: true, env: { TERM: 'dumb' } }, 'pretty', false],
  ] as const)('of %j is %s (coloured: %s)', async (given, format, coloured) => {
    expect(await formatOf(given)).toEqual({ format, coloured });
  });
});

describe('a secret', () => {
  it('is masked once it is known', async () => {
    const output = new MemoryOutput();
    const { log, addSecret } = await logInto(output, { secrets: ['1:the-first-of-two-secrets'] });
    log.info({ a: '1:the-first-of-two-secrets', b: '2:the-second-of-two-secrets' });
    addSecret('2:the-second-of-two-secrets');
    log.info({ a: '1:the-first-of-two-secrets', b: '2:the-second-of-two-secrets' });
    expect(output.lines).toMatchObject([
      { a: '1:***', b: '2:the-second-of-two-secrets' },
      { a: '1:***', b: '2:***' },
    ]);
  });
});

describe('a reader that comes back', () => {
  it('is told how many lines it has missed', async () => {
    const output = new MemoryOutput();
    let stuck = true;
    const waiting: (() => void)[] = [];
    Object.defineProperty(output, 'writableLength', {
      get: () => (stuck && waiting.length > 0 ? 2 ** 25 : 0),
    });
    const write = output.write.bind(output);
    output.write = (chunk, encoding, taken) =>
      write(chunk, encoding, stuck ? () => void waiting.push(taken) : taken);
    const { log } = await logInto(output);
    log.info('taken');
    log.info('dropped');
    log.info('dropped, too');
    stuck = false;
    for (const taken of waiting) taken();
    expect(output.lines.map(({ event, msg, lines }) => ({ event, msg, lines }))).toEqual([
      { event: undefined, msg: 'taken', lines: undefined },
      { event: 'log.dropped', msg: '2 log lines dropped because nobody read them', lines: 2 },
    ]);
  });
});
