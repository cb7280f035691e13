import { describe, expect, it } from '@jest/globals';
import { listenForSignals, type StopSignal } from '../../src/host/signals.js';

function setUp() {
  const handlers = new Map<StopSignal, () => void>();
  const told: string[] = [];
  let now = 0;
  const signals = listenForSignals(
    (signal, listener) => handlers.set(signal, listener),
    (code) => told.push(`exit ${code}`),
    () => now,
  );
  const listener = {
    stop: (signal: StopSignal) => void told.push(`stop ${signal}`),
    hasten: (signal: StopSignal) => void told.push(`hasten ${signal}`),
  };
  return {
    signals,
    listener,
    told,
    send(signal: StopSignal, afterMs = 1000) {
      now += afterMs;
      handlers.get(signal)?.();
    },
  };
}

describe('signals', () => {
  it('stop, then hasten, then force the exit with 128 + n', () => {
    const { signals, listener, told, send } = setUp();
    signals.subscribe(listener);
    send('SIGTERM');
    send('SIGINT');
    send('SIGTERM');
    expect(told).toEqual(['stop SIGTERM', 'hasten SIGINT', 'exit 143']);
  });

  it('call the listener before the forced exit, and exit even if it throws', () => {
    const { signals, listener, told, send } = setUp();
    const forced = (exitCode: number) => {
      told.push(`forced ${exitCode}`);
      throw new Error('broken');
    };
    signals.subscribe({ ...listener, forced });
    send('SIGTERM');
    send('SIGTERM');
    expect(() => send('SIGTERM')).toThrow('broken');
    expect(told).toEqual(['stop SIGTERM', 'hasten SIGTERM', 'forced 143', 'exit 143']);
  });

  it('count the same signal within 500 ms once, and again after', () => {
    const { signals, listener, told, send } = setUp();
    signals.subscribe(listener);
    send('SIGINT');
    send('SIGINT', 499);
    expect(told).toEqual(['stop SIGINT']);
    send('SIGINT', 500);
    expect(told).toEqual(['stop SIGINT', 'hasten SIGINT']);
  });

  it('stop by SIGHUP, but never escalate by it', () => {
    const { signals, listener, told, send } = setUp();
    signals.subscribe(listener);
    send('SIGHUP');
    send('SIGHUP');
    expect(told).toEqual(['stop SIGHUP']);
    send('SIGTERM');
    send('SIGHUP');
    expect(told).toEqual(['stop SIGHUP', 'hasten SIGTERM']);
  });

  it('count as one with a SIGHUP that arrived within 500 ms before', () => {
    const { signals, listener, told, send } = setUp();
    signals.subscribe(listener);
    send('SIGHUP');
    send('SIGTERM', 1);
    expect(told).toEqual(['stop SIGHUP']);
    send('SIGTERM', 499);
    send('SIGINT', 1);
    expect(told).toEqual(['stop SIGHUP', 'hasten SIGTERM', 'exit 130']);
  });

  it('are kept until a listener subscribes', () => {
    const { signals, listener, told, send } = setUp();
    send('SIGTERM');
    send('SIGTERM');
    expect(signals.stopped.aborted).toBe(true);
    expect(told).toEqual([]);
    signals.subscribe(listener);
    expect(told).toEqual(['stop SIGTERM', 'hasten SIGTERM']);
  });

  it('force the exit even without a listener', () => {
    const { told, send } = setUp();
    send('SIGINT');
    send('SIGINT');
    send('SIGINT');
    expect(told).toEqual(['exit 130']);
  });
});
