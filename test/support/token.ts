/** Tokens of bots that no other test and no other worker runs, because a bot's lock holds for the whole host. */
import { randomInt } from 'node:crypto';

export const newBotId = (): number => randomInt(1_000_000_000, 100_000_000_000);

export const newToken = (secret = 'A-TOKEN-OF-A-TEST-NOT-SECRET-AT-ALL'): string => `${newBotId()}:${secret}`;
