import { Console } from 'node:console';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pino as createPino } from 'pino';
import { LastcallError } from '../../src/errors.js';
import { type AppLog, adaptLog } from '../../src/logging/app-log.js';
import { logEvent } from '../../src/logging/events.js';
import { anyValue } from './any-value.js';

const TOKEN = '4711000:a-token-of-the-tests-of-given-logs';

interface Line {
  readonly level: string;
  readonly fields: object;
  readonly message?: string | undefined;
}

/** A log of the least kind. */
function memoryLog(lines: Line[]): AppLog {
  const write = (level: string) => (fields: object, message?: string) => {
    lines.push({ level, fields, message });
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function circular(): object {
  const object: { self?: object } = {};
  object.self = object;
  return object;
}

describe('a given log', () => {
  it('is told of events, with their level, fields and words', () => {
    const lines: Line[] = [];
    const { log } = adaptLog(memoryLog(lines));
    logEvent(log, { event: 'poll.backlog', pending: 3 }, { bot: 1 });
    expect(lines).toEqual([
      {
        level: 'info',
        fields: { event: 'poll.backlog', bot: 1, pending: 3 },
        message: '3 updates waiting at Telegram',
      },
    ]);
  });

  it('gets errors as errors of their own type, which pino and others know how to write', () => {
    const written: string[] = [];
    const { log, addSecret } = adaptLog(createPino({ base: null }, { write: (line) => written.push(line) }));
    addSecret('open-sesame-and-then-some');
    const cause = Object.assign(new TypeError('why, open-sesame-and-then-some?'), { code: 'E_WHY' });
    log.error({ err: new LastcallError('HOOK_FAILED', 'database', 'it failed', { cause }) }, 'oh');
    log.error({ err: new AggregateError([cause], 'all') }, 'oh');
    const [first, second] = written.map((line) => JSON.parse(line).err);
    expect(first).toMatchObject({
      type: 'LastcallError',
      message: 'it failed: why, ***?',
      code: 'HOOK_FAILED',
      stack: expect.stringMatching(
        /^LastcallError: it failed\n {4}at [\s\S]*\ncaused by: TypeError: why, \*\*\*\?\n {4}at /,
      ),
    });
    expect(second).toMatchObject({ aggregateErrors: [{ type: 'TypeError', code: 'E_WHY' }] });
  });

  it('gets errors that are plain data as JSON', () => {
    const lines: Line[] = [];
    const { log } = adaptLog(memoryLog(lines));
    log.error({ err: new RangeError('far', { cause: new TypeError('why') }) }, 'oh');
    expect(lines[0]?.fields).toMatchObject({ err: expect.any(Error) });
    expect(JSON.parse(JSON.stringify(lines[0]?.fields))).toMatchObject({
      err: { type: 'RangeError', message: 'far', cause: { type: 'TypeError', message: 'why' } },
    });
  });

  it.each<[string, unknown, object]>([
    ['an object that refers to itself', circular(), { type: 'object', message: '{"self":"[circular]"}' }],
    ['a bigint', 1n, { type: 'bigint', message: '1' }],
    ['nothing', undefined, { type: 'undefined', message: 'undefined' }],
  ])('gets any other thrown value as an error (%s)', (_, thrown, err) => {
    const written: string[] = [];
    const { log } = adaptLog(createPino({ base: null }, { write: (line) => written.push(line) }));
    log.error({ err: thrown }, 'oh');
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ err, msg: 'oh' });
  });

  it('gets no secret, neither one that was named nor what looks like a token', () => {
    const lines: Line[] = [];
    const { log, addSecret } = adaptLog(memoryLog(lines));
    addSecret('open "sesame", please');
    const error = new Error(`open "sesame", please at https://api.telegram.org/bot${TOKEN}/getMe`);
    log.warn({ error, [TOKEN]: [{ deep: 'open "sesame", please' }] }, `${TOKEN} and open "sesame", please`);
    const text = JSON.stringify(lines);
    expect(text).not.toContain('sesame');
    expect(text).not.toContain(TOKEN.slice(8));
    expect(lines[0]?.message).toBe('4711000:*** and ***');
  });

  it('gets a line for any value, and as any error', () => {
    fc.assert(
      fc.property(anyValue, (make) => {
        const value = make();
        const lines: Line[] = [];
        const { log } = adaptLog(memoryLog(lines));
        log.info({ value }, 'a field');
        logEvent(log, { event: 'process.fault', origin: 'unhandledRejection', error: value });
        logEvent(log, { event: 'process.fault', origin: 'uncaughtException', error: { value } });
        expect(lines).toHaveLength(3);
        expect(typeof JSON.stringify(lines)).toBe('string');
      }),
    );
  });

  it('gets its lines also where a secret is nothing but digits', () => {
    const lines: Line[] = [];
    const { log, addSecret } = adaptLog(memoryLog(lines));
    const digits = '4711'.repeat(5);
    addSecret(digits);
    log.info({ bot: Number(digits), text: `bot ${digits}` }, `of ${digits}`);
    expect(lines).toEqual([
      { level: 'info', fields: { bot: Number(digits), text: 'bot ***' }, message: 'of ***' },
    ]);
  });

  it('may fail in any way without anybody noticing', async () => {
    const fail = () => {
      throw new Error('the log is full');
    };
    const failing: AppLog = { debug: fail, info: fail, warn: fail, error: fail };
    const { log } = adaptLog({ ...failing, isLevelEnabled: fail, child: fail });
    log.info({}, 'nobody hears this');
    expect(log.isLevelEnabled('info')).toBe(true);
    expect(() => log.child({ hook: 'database' }).error({}, 'nor this')).not.toThrow();
    const rejecting = () => Promise.reject(new Error('the log is full'));
    adaptLog({ ...failing, info: rejecting }).log.info({}, 'nor this');
    // An unhandled rejection would fail the test.
    await new Promise(setImmediate);
  });

  it('gets the lines of hooks, in a child that knows their name if it can make one', () => {
    const lines: Line[] = [];
    adaptLog(memoryLog(lines)).log.child({ hook: 'database' }).info({ rows: 3 }, 'opened');
    expect(lines).toEqual([{ level: 'info', fields: { rows: 3 }, message: 'opened' }]);
    const written: string[] = [];
    const pino = createPino({ base: null, timestamp: false }, { write: (line) => written.push(line) });
    adaptLog(pino).log.child({ hook: 'database' }).info({ rows: 3 }, 'opened');
    expect(written).toEqual(['{"level":30,"hook":"database","rows":3,"msg":"opened"}\n']);
  });

  it('is not troubled with levels that are off', () => {
    const written: string[] = [];
    const pino = createPino({ level: 'warn' }, { write: (line) => written.push(line) });
    const { log } = adaptLog(pino);
    logEvent(log, { event: 'poll.started' });
    expect(log.isLevelEnabled('info')).toBe(false);
    expect(log.isLevelEnabled('warn')).toBe(true);
    expect(written).toEqual([]);
  });

  it('may be a console, which prints the words first and the stack of an error last', async () => {
    const output = new PassThrough();
    const log: AppLog = new Console(output);
    const { log: adapted } = adaptLog(log);
    expect(adapted.isLevelEnabled('debug')).toBe(true);
    adapted.info({ event: 'poll.started', bot: 1 }, 'Polling');
    adapted.error({ event: 'handler.failed', err: new RangeError('far') }, 'It failed');
    expect(await text(output.end())).toMatch(
      /^Polling { event: 'poll.started', bot: 1 }\nIt failed { event: 'handler.failed' } RangeError: far\n {4}at /,
    );
  });

  it('need not be there', async () => {
    const { log, receiptLog, flush } = adaptLog();
    expect(log.isLevelEnabled('error')).toBe(false);
    receiptLog.error({}, 'nobody hears this');
    log.child({ hook: 'database' }).error({});
    await flush();
  });
});
