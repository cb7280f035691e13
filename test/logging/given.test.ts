import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../src/errors.js';
import { logEvent } from '../../src/logging/events.js';
import { type AppLog, givenLogging } from '../../src/logging/given.js';
import { createPino } from '../../src/logging/pino.js';

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
    const { log } = givenLogging(memoryLog(lines));
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
    const { log } = givenLogging(memoryLog(lines));
    const error = new LastcallError('HOOK_FAILED', 'database', 'it failed', { cause: new TypeError('why') });
    log.error({ err: error }, 'oh');
    expect(lines[0]?.fields).toMatchObject({
      err: { type: 'LastcallError', code: 'HOOK_FAILED', cause: { type: 'TypeError', message: 'why' } },
    });
  });

  it('gets no secret, neither one that was named nor what looks like a token', () => {
    const lines: Line[] = [];
    const { log, addSecret } = givenLogging(memoryLog(lines));
    addSecret('open "sesame"');
    const error = new Error(`open "sesame" at https://api.telegram.org/bot${TOKEN}/getMe`);
    log.warn({ error, [TOKEN]: [{ deep: 'open "sesame"' }] }, `${TOKEN} and open "sesame"`);
    const text = JSON.stringify(lines);
    expect(text).not.toContain('sesame');
    expect(text).not.toContain(TOKEN.slice(8));
    expect(lines[0]?.message).toBe('4711000:*** and ***');
  });

  it('hands hooks the log itself, or a child of it that knows their name', () => {
    const lines: Line[] = [];
    const plain = memoryLog(lines);
    expect(givenLogging(plain).log.child({ hook: 'database' })).toBe(plain);
    const written: string[] = [];
    const pino = createPino({ base: null, timestamp: false }, (line) => written.push(line));
    givenLogging(pino).log.child({ hook: 'database' }).info({ rows: 3 }, 'opened');
    expect(written).toEqual(['{"level":30,"hook":"database","rows":3,"msg":"opened"}\n']);
  });

  it('is not troubled with levels that are off', () => {
    const written: string[] = [];
    const pino = createPino({ level: 'warn' }, (line) => written.push(line));
    const { log } = givenLogging(pino);
    logEvent(log, { event: 'poll.started' });
    expect(log.isLevelEnabled('info')).toBe(false);
    expect(log.isLevelEnabled('warn')).toBe(true);
    expect(written).toEqual([]);
  });

  it('may be console', () => {
    const log: AppLog = console;
    expect(givenLogging(log).log.isLevelEnabled('debug')).toBe(true);
  });

  it('need not be there', async () => {
    const { log, receiptLog, flush } = givenLogging();
    expect(log.isLevelEnabled('error')).toBe(false);
    receiptLog.error({}, 'nobody hears this');
    log.child({ hook: 'database' }).error({});
    await flush();
  });
});
