import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LastcallError } from '../../src/errors.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import { anyValue } from '../logging/any-value.js';

const boom = new Error('boom');
const unusable = new LastcallError('BOT_MODULE_UNUSABLE', 'bot.js', 'bot.js exports nothing');

describe('a stop reason', () => {
  it.each([
    [StopReason.signal('SIGTERM'), 'signal', 0, 'SIGTERM'],
    [StopReason.request('bot.stop'), 'request', 0, 'bot.stop was called'],
    [StopReason.message('shutdown'), 'message', 0, 'the supervisor sent the message "shutdown"'],
    [StopReason.supervisorGone(), 'supervisor-gone', 0, 'the supervisor is gone'],
    [StopReason.stopAfter(30_000), 'stop-after', 0, 'the run has reached its limit of 30000 ms'],
    [StopReason.aborted(boom), 'aborted', 0, 'the signal given to run() aborted: boom'],
    [StopReason.startFailed(unusable), 'start-failed', 78, 'bot.js exports nothing'],
    [StopReason.startFailed(boom), 'start-failed', 1, 'boom'],
    [StopReason.fatal(unusable), 'fatal', 78, 'bot.js exports nothing'],
    [StopReason.fault(boom, 'uncaught exception'), 'fault', 70, 'uncaught exception: boom'],
    [StopReason.fault(Symbol('odd')), 'fault', 70, 'internal error: Symbol(odd)'],
    [StopReason.fault(unusable), 'fault', 70, 'bot.js exports nothing'],
  ])('says in words and for code why the run stops (%s)', (reason, kind, exitCode, message) => {
    expect(reason).toMatchObject({ kind, exitCode, message });
  });

  it('keeps what caused it, and whose signal or call it was', () => {
    expect(StopReason.fault(boom).cause).toBe(boom);
    expect(StopReason.aborted(undefined)).toHaveProperty('cause', undefined);
    expect('cause' in StopReason.signal('SIGINT')).toBe(false);
    expect(StopReason.signal('SIGINT').signal).toBe('SIGINT');
    expect(StopReason.request('bot.stop').by).toBe('bot.stop');
  });

  it('can be made of any thrown value, however hostile', () => {
    fc.assert(
      fc.property(anyValue, (make) => {
        const thrown = make();
        const reasons = [
          StopReason.fault(thrown),
          StopReason.aborted(thrown),
          StopReason.startFailed(thrown),
        ];
        for (const { message } of reasons) expect(typeof message).toBe('string');
      }),
    );
    const unreadable = Object.defineProperty(new Error(), 'message', { get: () => thrower() });
    expect(StopReason.fault(unreadable).message).toBe('internal error: [unreadable]');
  });
});

function thrower(): never {
  throw new Error('looked at');
}
