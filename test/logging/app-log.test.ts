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

  it('gets errors as plain fields, whatever it makes of errors itself', () => {
    const lines: Line[] = [];
    const { log } = adaptLog(memoryLog(lines));
    const error = new LastcallError('HOOK_FAILED', 'database', 'it failed', { cause: new TypeError('why') });
    log.error({ err: error }, 'oh');
    expect(lines[0]?.fields).toMatchObject({
      err: { type: 'LastcallError', code: 'HOOK_FAILED', cause: { type: 'TypeError', message: 'why' } },
    });
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
    expect(() => log.child({ hook: 'database' })).not.toThrow();
    const rejecting = () => Promise.reject(new Error('the log is full'));
    adaptLog({ ...failing, info: rejecting }).log.info({}, 'nor this');
    // An unhandled rejection would fail the test.
    await new Promise(setImmediate);
  });

  it('hands hooks the log itself, or a child of it that knows their name', () => {
    const lines: Line[] = [];
    const plain = memoryLog(lines);
    expect(adaptLog(plain).log.child({ hook: 'database' })).toBe(plain);
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

  it('may be console', () => {
    const log: AppLog = console;
    expect(adaptLog(log).log.isLevelEnabled('debug')).toBe(true);
  });

  it('need not be there', async () => {
    const { log, receiptLog, flush } = adaptLog();
    expect(log.isLevelEnabled('error')).toBe(false);
    receiptLog.error({}, 'nobody hears this');
    log.child({ hook: 'database' }).error({});
    await flush();
  });
});
