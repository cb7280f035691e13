/** What a sandbox for tests can be told at its start. */
import type { Clock } from '../../clock.js';
import type { Duration } from '../../duration.js';
import type { SandboxOptions as ServerOptions } from '../sandbox.js';
import { durationOf } from './waits.js';

/** How to create a sandbox. Everything has a default. */
export interface SandboxOptions {
  /** The token of the bot. Default: one with a random id, so that sandboxes beside each other do not get mixed up. */
  readonly token?: string;
  /** The port to listen on, of 127.0.0.1. Default: any free port. */
  readonly port?: number;
  /** How long a wait may take, unless it says so itself. Default 3 s, so that it ends before a test's own time limit. */
  readonly within?: Duration;
  /** A delay added to every call, half of it in each direction. Default 0. */
  readonly roundTrip?: Duration;
  /** The seed for update ids and for faults by chance. Default 1. */
  readonly seed?: number;
  /** The first update id. Default: random, from the seed. */
  readonly firstUpdateId?: number;
}

/** Returns the options of the server. @throws SandboxError MISUSED @internal */
export function serverOptions(
  { token, roundTrip = 0, seed, firstUpdateId }: SandboxOptions,
  clock: Clock,
): ServerOptions {
  return {
    clock,
    ...(token !== undefined && { token }),
    ...(seed !== undefined && { seed }),
    ...(firstUpdateId !== undefined && { firstUpdateId }),
    roundTripMs: durationOf(roundTrip, 'roundTrip'),
  };
}
