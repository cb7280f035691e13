import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../src/errors.js';
import type { Outcome } from '../../src/lifecycle/outcome.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import { logReceipt, receiptRecord, verdictOf } from '../../src/logging/receipt.js';
import { noCounts } from '../../src/tally.js';
import { logInto } from './logging.js';
import { MemoryOutput } from './memory-output.js';

const cutError = new LastcallError('HOOK_TIMED_OUT', 'database', 'the stop of "database" did not end');
const clean: Outcome = {
  reason: StopReason.signal('SIGTERM'),
  clean: true,
  exitCode: 0,
  durationMs: 63_000.4321,
  stopDurationMs: 41.26,
  phases: [
    { hook: 'bot', step: 'start', result: 'done', durationMs: 120.55 },
    { hook: 'intake', step: 'stop', result: 'done', durationMs: 2 },
    { hook: 'drain', step: 'stop', result: 'done', durationMs: 39 },
  ],
};
const cut: Outcome = {
  ...clean,
  clean: false,
  exitCode: 1,
  phases: [
    ...clean.phases,
    { hook: 'database', step: 'stop', result: 'cut', durationMs: 100, error: cutError },
  ],
};
const counts = { ...noCounts, fetched: 120, handled: 120, confirmedUpTo: 8_812 };

async function receiptOf(outcome: Outcome, figures = counts, failures = new Map<number, LastcallError>()) {
  const output = new MemoryOutput();
  const { log } = await logInto(output);
  logReceipt(log, outcome, figures, failures);
  return output.lines[0];
}

describe('the receipt', () => {
  it('is kept for the next run with its secrets masked', () => {
    const failed = { ...clean, reason: StopReason.aborted(new Error('the SECRET is out')) };
    const kept = receiptRecord(failed, counts, new Map(), (text) => text.replaceAll('SECRET', '***'));
    expect(kept).toEqual({
      reason: 'the signal given to run() aborted: the *** is out',
      outcome: 'clean',
      counts,
      words: expect.stringMatching(/^Stopped cleanly \(.*the \*\*\* is out\), exit code 0; .*120 handled$/),
    });
  });

  it('names the bots that had ended while others went on, and warns', async () => {
    const line = await receiptOf(
      clean,
      counts,
      new Map([[7, new LastcallError('TOKEN_REFUSED', 'BOT_TOKEN', 'no')]]),
    );
    expect(line).toMatchObject({
      level: 'warn',
      outcome: 'clean',
      failedBots: [{ bot: 7, code: 'TOKEN_REFUSED' }],
      msg: expect.stringMatching(/; 1 bot had ended before: 7 \(TOKEN_REFUSED\)$/),
    });
  });

  it('of a clean stop has reason, outcome, exit code, phases and counts', async () => {
    const line = await receiptOf(clean);
    expect(line).toEqual({
      level: 'info',
      time: expect.any(String),
      pid: 42,
      event: 'lifecycle.stopped',
      reason: 'SIGTERM',
      reasonKind: 'signal',
      outcome: 'clean',
      exitCode: 0,
      durationMs: 63_000.4,
      stopDurationMs: 41.3,
      counts,
      phases: [
        { hook: 'bot', step: 'start', result: 'done', durationMs: 120.6 },
        { hook: 'intake', step: 'stop', result: 'done', durationMs: 2 },
        { hook: 'drain', step: 'stop', result: 'done', durationMs: 39 },
      ],
      msg: 'Stopped cleanly (SIGTERM), exit code 0; up 1 min 3 s, the stop took 41 ms; 120 updates fetched, 120 handled',
    });
  });

  it('names what was cut and what is left', async () => {
    const line = await receiptOf(cut, {
      ...counts,
      handled: 105,
      caught: 6,
      failed: 1,
      timedOut: 2,
      expired: 3,
      dropped: 1,
      left: 2,
      mayRepeat: 3,
      putBack: 8,
      deadDropped: 9,
    });
    expect(line).toMatchObject({ level: 'warn', outcome: 'cut', exitCode: 1 });
    expect(line?.['phases']).toContainEqual({
      hook: 'database',
      step: 'stop',
      result: 'cut',
      durationMs: 100,
      error: cutError.message,
    });
    expect(line?.['msg']).toContain('Stopped, not cleanly (SIGTERM), exit code 1');
    expect(line?.['msg']).toContain(
      '105 handled, 6 caught, 1 failed, 2 timed out, 3 expired, 1 dropped, 2 left for the next run, 3 may come twice, 8 put back, 9 dead dropped',
    );
  });

  it('of a fault has the error', async () => {
    const reason = StopReason.fault(new TypeError('oops'), 'uncaught exception');
    expect(await receiptOf({ ...clean, reason, exitCode: 70 })).toMatchObject({
      level: 'error',
      outcome: 'fault',
      err: { type: 'TypeError', message: 'oops' },
      msg: expect.stringContaining('Stopped by a fault (uncaught exception: oops), exit code 70'),
    });
  });

  it('is an error when the run had to end, however orderly', async () => {
    const reason = StopReason.fatal(new LastcallError('TOKEN_REFUSED', 'BOT_TOKEN', 'Telegram refuses it'));
    expect(await receiptOf({ ...clean, reason, exitCode: 78 })).toMatchObject({
      level: 'error',
      outcome: 'clean',
      err: { code: 'TOKEN_REFUSED' },
    });
  });
});

describe('the receipt of a start that failed', () => {
  it.each([
    [78, 'error'],
    [1, 'warn'],
  ])('with exit code %d has the level %s', async (exitCode, level) => {
    const reason = StopReason.startFailed(cutError);
    expect(await receiptOf({ ...clean, reason, clean: false, exitCode })).toMatchObject({
      level,
      outcome: 'cut',
      msg: expect.stringContaining(
        `Could not start (the stop of "database" did not end), exit code ${exitCode}`,
      ),
    });
  });

  it('of a start that failed says so; it is an error if no restart helps', async () => {
    const failed = (code: 'HOOK_FAILED' | 'BOT_MODULE_FAILED', exitCode: number) => {
      const reason = StopReason.startFailed(new LastcallError(code, 'bot', 'it does not load'));
      return receiptOf({ ...cut, reason, exitCode });
    };
    expect(await failed('HOOK_FAILED', 1)).toMatchObject({ level: 'warn', outcome: 'cut' });
    expect(await failed('BOT_MODULE_FAILED', 78)).toMatchObject({
      level: 'error',
      outcome: 'cut',
      // An earlier line has told why.
      msg: expect.stringMatching(/^Could not start, exit code 78; /),
      reason: 'it does not load',
    });
  });
});

describe('the verdict', () => {
  it.each([
    [{ clean: true, exitCode: 0 }, 'clean'],
    [{ clean: true, exitCode: 75 }, 'clean'],
    [{ clean: false, exitCode: 1 }, 'cut'],
    [{ clean: true, exitCode: 70 }, 'fault'],
    [{ clean: false, exitCode: 70 }, 'fault'],
  ])('of %j is %s', (outcome, verdict) => {
    expect(verdictOf(outcome)).toBe(verdict);
  });
});
