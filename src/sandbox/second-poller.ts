/** A second program that polls with the bot's token. */
import type { Clock } from '../clock.js';
import { isObject, parseJson } from '../json.js';
import type { ApiResponse } from './api-response.js';
import type { BotAccount } from './bot-account.js';
import type { Responder } from './get-updates.js';

const POLL_SECONDS = 50;
/** The pause between the end of a poll and the next poll. */
const PAUSE_MS = 1_000;

export interface SecondPollerOptions {
  readonly clock: Clock;
  readonly account: BotAccount;
  /** Whether the program confirms the updates it gets, which takes them away from the bot. */
  readonly confirms: boolean;
}

/** Starts polling. Returns a function that stops it. */
export function startSecondPoller({ clock, account, confirms }: SecondPollerOptions): () => void {
  let offset = 0;
  let stopped = false;
  let cancelPause = () => {};

  const poll = () => {
    const responder: Responder = {
      // The poll counts neither as a waiting poll of the bot nor as one that got a conflict.
      open: false,
      send: (response) => {
        if (stopped) return;
        if (confirms) offset = nextOffset(response) ?? offset;
        cancelPause = clock.after(PAUSE_MS, poll);
      },
    };
    account.poll({ offset, timeout: POLL_SECONDS }, responder);
  };

  poll();
  return () => {
    stopped = true;
    cancelPause();
  };
}

function nextOffset({ body }: ApiResponse): number | undefined {
  const content = parseJson(body);
  const updates = isObject(content) ? content['result'] : undefined;
  const last: unknown = Array.isArray(updates) ? updates.at(-1) : undefined;
  const id = isObject(last) ? last['update_id'] : undefined;
  return typeof id === 'number' ? id + 1 : undefined;
}
