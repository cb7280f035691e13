/** What is asked of Telegram about the bot, beside `getMe`, which shows the way there. */
import type { Reading } from '../../config/load.js';
import type { ApiAnswer, WebhookInfo } from '../../polling/bot-api.js';
import { asWebhookInfo } from '../../telegraf/bot-api/results.js';
import { callApi } from './api-call.js';

/** In this time nearly every other program polls again, also one that its supervisor has to restart first. */
const POLL_SECONDS = 10;

/** The token, where the server that is meant is known: it is shown to no other. */
export function shownToken({ values, problems }: Pick<Reading, 'values' | 'problems'>): string | undefined {
  const isRootKnown = !problems.some(({ culprit }) => culprit === 'TELEGRAM_API_ROOT');
  return isRootKnown ? values.botToken : undefined;
}

/** Never rejects. */
export async function askWebhook(apiRoot: string, token: string): Promise<ApiAnswer<WebhookInfo>> {
  const { answer } = await callApi({
    apiRoot,
    token,
    method: 'getWebhookInfo',
    signal: AbortSignal.timeout(2_000),
  });
  if (answer.kind !== 'ok') return answer;
  const result = asWebhookInfo(answer.result);
  return result
    ? { kind: 'ok', result }
    : { kind: 'unreachable', why: 'not-json', detail: 'no webhook info' };
}

/**
 * A poll that confirms nothing, since no update has an id below its offset. It leaves out `allowed_updates`, for which the server
 * then keeps what the bot has asked for. The offset differs from that of any bot, so that the server takes neither for a loop.
 */
export async function poll(apiRoot: string, token: string): Promise<ApiAnswer<unknown>> {
  const parameters = { offset: 1, limit: 1, timeout: POLL_SECONDS };
  const signal = AbortSignal.timeout((POLL_SECONDS + 2) * 1_000);
  return (await callApi({ apiRoot, token, method: 'getUpdates', parameters, signal })).answer;
}
