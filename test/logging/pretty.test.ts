import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../src/errors.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import { type LoggedEvent, logEvent } from '../../src/logging/events.js';
import type { Logger } from '../../src/logging/logger.js';
import { logReceipt } from '../../src/logging/receipt.js';
import { noCounts } from '../../src/tally.js';
import { logInto } from './logging.js';
import { MemoryOutput } from './memory-output.js';

/** What is printed, with the time taken off each first line. */
async function printed(write: (log: Logger) => void, env: Record<string, string> = {}): Promise<string> {
  const output = new MemoryOutput();
  const { log } = await logInto(output, { format: 'pretty', level: 'debug', env });
  write(log);
  expect(output.text).toMatch(/^\d\d:\d\d:\d\d\.\d{3} /);
  return output.text.replace(/^\d\d:\d\d:\d\d\.\d{3} /gm, '');
}

const events = (...list: (readonly [LoggedEvent, object?])[]) =>
  printed((log) => {
    for (const [event, context] of list) logEvent(log, event, context);
  });

const counts = { ...noCounts, fetched: 2, handled: 2, confirmedUpTo: 8 };

describe('a pretty line', () => {
  it('of an event is its message: the fields say nothing more', async () => {
    expect(await events([{ event: 'hook.started', hook: 'bot', durationMs: 120 }])).toBe(
      'INFO:  bot: started in 120 ms\n',
    );
  });

  it('of a program has its fields after the message, with times in words', async () => {
    const text = await printed((log) => {
      log.child({ hook: 'database' }).warn({ tookMs: 1_234, pool: { size: 5 }, name: 'x y' }, 'slow');
      log.info({ event: 'my.own', a: 1 }, 'mine');
      log.debug('plain');
      log.error({ long: 'x'.repeat(300) });
    });
    expect(text.split('\n')).toEqual([
      'WARN:  slow hook=database took=1.2 s pool={"size":5} name=x y',
      'INFO:  mine a=1',
      'DEBUG: plain',
      `ERROR:  long=${'x'.repeat(200)}…`,
      '',
    ]);
  });

  it('says which bot it is about as soon as there are two', async () => {
    const event = { event: 'poll.started' } as const;
    expect(await events([event, { bot: 1 }], [event, { bot: 2 }], [event, { bot: 1 }])).toBe(
      'INFO:  Polling\nINFO:  Polling bot=2\nINFO:  Polling bot=1\n',
    );
  });

  it('has an error with its causes below it, each in the column of the message', async () => {
    const error = new Error('outer', { cause: new RangeError('inner\nin two lines') });
    error.stack = 'Error: outer\n    at handler (bot.js:1:2)\n    at more (bot.js:3:4)';
    const text = await printed((log) => log.error({ err: error }, 'It failed'));
    const [first, ...rest] = text.split('\n');
    expect(first).toBe('ERROR: It failed');
    expect(rest.slice(0, 5)).toEqual([
      '                    Error: outer',
      '                        at handler (bot.js:1:2)',
      '                        at more (bot.js:3:4)',
      '                    because of RangeError: inner',
      '                    in two lines',
    ]);
  });

  it('does not say twice what an error says', async () => {
    const error = new TypeError('oops');
    error.stack = 'TypeError: oops\n    at bot.js:1:2';
    expect(await printed((log) => log.error(error))).toBe(
      'ERROR: oops\n                    TypeError\n                        at bot.js:1:2\n',
    );
  });

  it('has of the stack what is not merely Node or lastcall calling', async () => {
    const ours = new URL('../../src/lifecycle/attempt.js', import.meta.url).href;
    const error = new Error('oops');
    const frames = [
      `    at ours (${ours}:1:2)`,
      '    at inner (bot.js:1:2)',
      '    at new Promise (<anonymous>)',
      '    at outer (node:internal/modules/cjs/loader:1:2)',
    ];
    const shown = async (...stack: string[]) => {
      error.stack = ['Error: oops', ...stack].join('\n');
      return (await printed((log) => log.error({ err: error }, 'oops'))).split('\n').slice(1, -1);
    };
    const indented = (...stack: string[]) => stack.map((frame) => `${' '.repeat(20)}${frame}`);
    const [own = '', bots = ''] = frames;
    expect(await shown(...frames, own)).toEqual(indented(own, bots));
    expect(await shown(own, own)).toEqual(indented(own, own));
  });

  it('explains an error once: where it is told, not again at the stop and in the receipt', async () => {
    const error = new LastcallError('HOOK_FAILED', 'db', 'the start of "db" failed: gone', {
      cause: new Error('gone'),
    });
    const reason = StopReason.startFailed(error);
    const phase = { hook: 'db', step: 'start', durationMs: 1, result: 'failed', error } as const;
    const outcome = { reason, clean: false, exitCode: 1, phases: [phase], durationMs: 3, stopDurationMs: 1 };
    const text = await printed((log) => {
      logEvent(log, { event: 'hook.failed', hook: 'db', step: 'start', durationMs: 1, error });
      logEvent(log, { event: 'lifecycle.stopping', reason, budgetMs: 1_000 });
      logReceipt(log, outcome, counts);
    });
    const lines = text.split('\n').filter((line) => !/^\s+at /.test(line));
    expect(lines).toEqual([
      'ERROR: db: start failed after 1 ms: gone',
      expect.stringMatching(/^ {20}likely cause: /),
      expect.stringMatching(/^ {20}what to do: /),
      '                    because of Error: gone',
      'ERROR: Stopping (the start failed), within 1 s',
      expect.stringMatching(/^WARN: {2}Could not start, exit code 1; /),
      '                    start',
      '                    └─ db      1 ms  failed',
      '',
    ]);
  });

  it('of a mistake that the user can fix says what to do, without our stack', async () => {
    const error = new LastcallError('CONFIG_INVALID', 'X', 'X is wrong');
    const text = await printed((log) => log.error({ err: error }, 'X is wrong'));
    expect(text.split('\n').slice(0, 3)).toEqual([
      'ERROR: X is wrong',
      expect.stringMatching(/^ {20}likely cause: /),
      expect.stringMatching(/^ {20}what to do: /),
    ]);
    expect(text).not.toContain(' at ');
  });

  it('lets nobody steer the terminal', async () => {
    const evil = '\u001b[2Jgone\u0007\u009b31m';
    const text = await printed((log) => log.info({ [evil]: [evil, { evil }] }, `name ${evil}\rover`));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not get through
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(text).toContain('name [2Jgone31mover');
  });

  it('has colours where they are wanted', async () => {
    const text = await printed((log) => log.error('red'), { FORCE_COLOR: '1' });
    expect(text).toContain('\u001b[31mERROR\u001b[39m');
    expect(text.endsWith('red\u001b[0m\n')).toBe(true);
  });
});

describe('a pretty receipt', () => {
  const reason = StopReason.signal('SIGTERM');
  const run = { reason, durationMs: 63_000, stopDurationMs: 141 };
  const database = { hook: 'database', step: 'stop', durationMs: 100 } as const;
  const error = new LastcallError('HOOK_FAILED', 'database', 'no');

  it('draws the stop as a timed tree', async () => {
    const text = await printed((log) =>
      logReceipt(
        log,
        {
          ...run,
          clean: false,
          exitCode: 1,
          phases: [
            { hook: 'bot', step: 'start', result: 'done', durationMs: 1 },
            { hook: 'intake', step: 'stop', result: 'done', durationMs: 2 },
            { ...database, result: 'cut', error },
            { ...database, result: 'failed', error },
            { hook: 'bot', step: 'stop', result: 'done', durationMs: 0.3 },
          ],
        },
        counts,
      ),
    );
    expect(text.split('\n')).toEqual([
      'WARN:  Stopped, not cleanly (SIGTERM), exit code 1; up 1 min 3 s, the stop took 141 ms; 2 updates fetched, 2 handled',
      '                    stop',
      '                    ├─ intake        2 ms',
      '                    ├─ database    100 ms  cut off',
      '                    ├─ database    100 ms  failed: no',
      '                    └─ bot          <1 ms',
      '',
    ]);
  });

  it('draws the start, too, where it went wrong', async () => {
    const text = await printed((log) =>
      logReceipt(
        log,
        {
          ...run,
          clean: true,
          exitCode: 0,
          phases: [{ hook: 'bot', step: 'start', result: 'called-off', durationMs: 5 }],
        },
        counts,
      ),
    );
    expect(text.split('\n').slice(1, -1)).toEqual([
      '                    start',
      '                    └─ bot      5 ms  called off',
    ]);
  });
});
