/**
 * Listens for stop signals of the operating system. This module is loaded before everything else, so it imports almost
 * nothing. It keeps signals that arrive before anyone subscribes, and delivers them on subscription.
 */
import { constants } from 'node:os';
import { forcedExitCode } from '../exit-code.js';

/** The signals that request a stop: SIGINT (Ctrl-C, pm2), SIGTERM (systemd, `kill`), SIGHUP (a closing terminal). */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof stopSignals)[number];

/**
 * Two signals within this time count as one if they are the same, because a terminal and npm both deliver Ctrl-C, or if
 * the first is SIGHUP, because a systemd session scope sends SIGTERM and SIGHUP together and Linux delivers the lower
 * number first.
 */
const DUPLICATE_WITHIN_MS = 500;

interface SignalListener {
  /** Called on the first signal. */
  stop(signal: StopSignal): void;
  /** Called on the second signal: the stop should take as little time as possible. */
  hasten(signal: StopSignal): void;
  /** Called on the third signal. The process ends as soon as this function returns. */
  forced?(exitCode: number): void;
}

export interface Signals {
  /** Aborts on the first signal. For commands that need no orderly stop. */
  readonly stopped: AbortSignal;
  /** Calls the listener for each signal, including those that arrived before. Replaces an earlier listener. */
  subscribe(listener: SignalListener): void;
}

/** Counts signals: the first stops, the second hastens, the third forces exit 128+n. SIGHUP can only be the first. */
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
    return at !== undefined && now() - at < DUPLICATE_WITHIN_MS;
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
