import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, LastcallError } from '../../src/errors.js';
import { exitStatusOf, type Phase } from '../../src/lifecycle/outcome.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';

const error = (code: ErrorCode) => new LastcallError(code, 'db', 'boom');
const step = { hook: 'db', durationMs: 1 } as const;
const done: Phase = { ...step, step: 'stop', result: 'done' };
const calledOff: Phase = { ...step, step: 'start', result: 'called-off' };
const failed: Phase = { ...step, step: 'stop', result: 'failed', error: error('HOOK_FAILED') };
const cut: Phase = { ...step, step: 'stop', result: 'cut', error: error('HOOK_TIMED_OUT') };
const fault: Phase = { ...step, step: 'stop', result: 'failed', error: error('HANDLERS_EXHAUSTED') };

const asked = StopReason.signal('SIGTERM');
const conflict = StopReason.fatal(error('POLL_CONFLICT'));
const crash = StopReason.fault(new Error('boom'));

describe('what an outcome means', () => {
  it.each([
    ['nothing happened', [asked], [], true, 0],
    ['all is done', [asked], [done, done], true, 0],
    ['a start was called off', [asked], [calledOff, done], true, 0],
    ['a step failed', [asked], [done, failed], false, 1],
    ['a step was cut', [asked], [cut, done], false, 1],
    ['a step failed by a fault', [asked], [failed, fault, cut], false, 70],
    ['the reason asks for a code', [conflict], [done], true, 75],
    ['the reason asks for a code and a step was cut', [conflict], [cut, fault], false, 75],
    ['a fault came later', [asked, crash, conflict], [done], true, 70],
    ['a fault came later and a step was cut', [asked, crash], [cut], false, 70],
  ])('%s', (_what, reasons, phases, clean, exitCode) => {
    expect(exitStatusOf(reasons, phases)).toEqual({ clean, exitCode });
  });
});
