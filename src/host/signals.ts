/**
 * Operating-system signals. Installed before anything else is loaded, so it imports next to nothing; what arrives
 * before somebody subscribes is remembered and told then.
 */
import { constants } from 'node:os';
import { forcedExitCode } from '../exit-code.js';

/** The signals that ask for a stop: Ctrl-C and pm2, systemd and `kill`, a terminal that closes. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof stopSignals)[number];

/**
 * Signals that come within this time are one: the same one twice, as a terminal and npm both deliver Ctrl-C; and SIGHUP
 * with whatever comes behind it, as a session scope of systemd sends SIGTERM and SIGHUP at once, of which Linux delivers
 * the lower number first.
 */
const ONE_SIGNAL_WITHIN_MS = 500;

interface SignalListener {
  /** The first signal. */
  stop(signal: StopSignal): void;
  /** The second: no more patience. */
  hasten(signal: StopSignal): void;
  /** The third: time for a last word. The process ends as soon as this returns. */
  forced?(exitCode: number): void;
}

export interface Signals {
  /** Aborts at the first signal; for commands that have nothing to stop in order. */
  readonly stopped: AbortSignal;
  /** Tells a listener what has come, also before it subscribed, and what comes. */
  subscribe(listener: SignalListener): void;
}

/**
 * Counts stop signals: the first stops, the second hastens, the third calls `forceExit` with 128 + its number.
 * SIGHUP stops but never escalates.
 */
export function listenForSignals(
  on: (signal: StopSignal, listener: () => void) => void,
  forceExit: (exitCode: number) => void,
  now: () => number = () => performance.now(),
): Signals {
  const controller = new AbortController();
  const received: StopSignal[] = [];
  const lastSeen = new Map<StopSignal, number>();
  let listener: SignalListener | undefined;

  const escalations = [
    (signal: StopSignal) => listener?.stop(signal),
    (signal: StopSignal) => listener?.hasten(signal),
    (signal: StopSignal) => {
      const exitCode = forcedExitCode(constants.signals[signal]);
      try {
        listener?.forced?.(exitCode);
      } finally {
        forceExit(exitCode);
      }
    },
  ];

  function justSeen(signal: StopSignal): boolean {
    const at = lastSeen.get(signal);
    return at !== undefined && now() - at < ONE_SIGNAL_WITHIN_MS;
  }

  function receive(signal: StopSignal): void {
    if (signal === 'SIGHUP' && received.length > 0) return;
    if (justSeen(signal) || justSeen('SIGHUP')) return;
    lastSeen.set(signal, now());
    received.push(signal);
    controller.abort(signal);
    escalations[received.length - 1]?.(signal);
  }

  for (const signal of stopSignals) on(signal, () => receive(signal));

  return {
    stopped: controller.signal,
    subscribe(newListener) {
      listener = newListener;
      for (const [index, signal] of received.entries()) escalations[index]?.(signal);
    },
  };
}
