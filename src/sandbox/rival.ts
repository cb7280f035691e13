/**
 * Another program that polls with the bot's token.
 */
import type { Clock } from '../clock.js';
import type { Answer } from './api-response.js';
import type { BotAccount } from './bot-account.js';
import type { Reply } from './get-updates.js';
import { isRecord, parseJson } from './parameters.js';

const POLL_SECONDS = 50;
/** How long it rests between one poll's end and the next. */
const REST_MS = 1_000;

/** Starts polling; returns what stops it. With `confirms`, what it gets is lost to the bot. */
export function startRival({
  clock,
  account,
  confirms,
}: {
  clock: Clock;
  account: BotAccount;
  confirms: boolean;
}): () => void {
  let offset = 0;
  let stopped = false;
  let cancelRest = () => {};

  const poll = () => {
    const reply: Reply = {
      // Counts as nobody's wait, and its answer is no answer to the bot.
      open: false,
      send: (answer) => {
        if (stopped) return;
        if (confirms) offset = nextOffset(answer) ?? offset;
        cancelRest = clock.after(REST_MS, poll);
      },
    };
    account.poll({ offset, timeout: POLL_SECONDS }, reply);
  };

  poll();
  return () => {
    stopped = true;
    cancelRest();
  };
}

function nextOffset({ body }: Answer): number | undefined {
  const answer = parseJson(body);
  const updates = isRecord(answer) ? answer['result'] : undefined;
  const last: unknown = Array.isArray(updates) ? updates.at(-1) : undefined;
  const id = isRecord(last) ? last['update_id'] : undefined;
  return typeof id === 'number' ? id + 1 : undefined;
}
