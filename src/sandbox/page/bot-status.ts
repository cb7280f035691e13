/** How the bot does, in a few words. Knows nothing of the page. */
import type { BotProcessState } from '../bot-process.js';
import type { BotView } from '../page-protocol.js';
import { running } from './words.js';

export interface BotStatus {
  readonly tone: 'good' | 'busy' | 'quiet' | 'bad';
  readonly words: string;
  readonly details: string;
}

/** After so long without a call or a waiting poll, a bot counts as silent. */
const SILENT_AFTER_MS = 3_000;

/** So long after a call that has failed, a bot may wait before it calls again. */
const CUT_OFF_FOR_MS = 30_000;

export function statusOf(bot: BotView, process: BotProcessState | undefined, nowMs: number): BotStatus {
  const { lastCallAtMs, lastFault, lastPoll, isPolling, webhookUrl } = bot;
  const ago = (ms: number) => (nowMs - ms < 1_000 ? 'just now' : `${running(nowMs - ms)} ago`);
  const heard = lastCallAtMs === undefined ? 'it has never called' : `last call ${ago(lastCallAtMs)}`;
  if (process?.status === 'ended') {
    const { end } = process;
    const how = end?.signal ? `by ${end.signal}` : `exit code ${end?.code ?? 'unknown'}`;
    return {
      tone: 'bad',
      words: end?.signal ? 'Killed' : 'Stopped',
      details: `${how}${end ? `, ${ago(end.atMs)}` : ''}`,
    };
  }
  if (process?.status === 'stopping') return { tone: 'busy', words: 'Stopping', details: heard };
  if (process && (lastCallAtMs === undefined || lastCallAtMs < process.startedAtMs))
    return {
      tone: 'busy',
      words: process.starts > 1 ? 'Restarting' : 'Starting',
      details: `process ${process.pid ?? ''}`,
    };
  if (webhookUrl) return { tone: 'bad', words: 'Webhook set', details: 'with a webhook, a bot cannot poll' };
  if (isPolling && lastPoll)
    return {
      tone: 'good',
      words: 'Polling',
      details: `poll ${lastPoll.call} waits${nowMs - lastPoll.atMs < 1_000 ? '' : ` for ${running(nowMs - lastPoll.atMs)}`}`,
    };
  if (lastCallAtMs === undefined)
    return { tone: 'quiet', words: 'Not connected', details: 'no bot has called yet' };
  if (lastFault && nowMs - lastCallAtMs < CUT_OFF_FOR_MS)
    return { tone: 'bad', words: 'Cut off', details: `its calls fail: ${lastFault}; ${heard}` };
  const silentMs = nowMs - lastCallAtMs;
  if (silentMs < SILENT_AFTER_MS) return { tone: 'good', words: 'Polling', details: heard };
  return {
    tone: 'bad',
    words: `Silent for ${running(silentMs)}`,
    details: 'no poll waits, and no call comes',
  };
}
