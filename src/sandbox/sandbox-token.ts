/** The tokens of bots that exist in a sandbox only. */
import { randomInt } from 'node:crypto';

const FIRST_ID = 7_000_000_000;

/**
 * Returns the token of a sandbox's first bot. It is well-formed, but belongs to no bot of Telegram. Sandboxes that run beside
 * each other need different ids, because on a host only one process runs the bot with an id.
 */
export const sandboxToken = (idOffset = 0): string =>
  `${FIRST_ID + idOffset}:THIS-IS-A-SANDBOX-TOKEN-NOT-SECRET0`;

/** The token of the first bot of `lastcall sandbox` at its default port. */
export const SANDBOX_TOKEN = sandboxToken();

/** The offsets of random ids, above those of ports. */
const RANDOM_OFFSETS = { from: 65_536, to: 1_000_000_000 } as const;

/** Returns the token of a bot with a random id. */
export const randomSandboxToken = (): string =>
  sandboxToken(randomInt(RANDOM_OFFSETS.from, RANDOM_OFFSETS.to));
