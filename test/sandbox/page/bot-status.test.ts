import { describe, expect, it } from '@jest/globals';
import type { BotProcessState } from '../../../src/sandbox/bot-process.js';
import { statusOf } from '../../../src/sandbox/page/bot-status.js';
import type { BotView } from '../../../src/sandbox/page-protocol.js';

const idle: BotView = {
  id: 1,
  name: 'Sandbox',
  username: 'sandbox_bot',
  isPolling: false,
  polls: 0,
  conflicts: 0,
  queued: 0,
  nextUpdateId: 1,
  webhookUrl: '',
};
const called: BotView = { ...idle, lastCallAtMs: 10_000, lastPoll: { atMs: 10_000, call: 4 } };
const running: BotProcessState = {
  command: 'lastcall run bot.js',
  status: 'running',
  pid: 77,
  startedAtMs: 9_000,
  starts: 1,
};

const words = (bot: BotView, process?: BotProcessState, nowMs = 15_000): string => {
  const { words: state, details } = statusOf(bot, process, nowMs);
  return `${state}: ${details}`;
};

describe('the status of a bot', () => {
  it.each<[string, BotView, BotProcessState | undefined]>([
    ['Not connected: no bot has called yet', idle, undefined],
    ['Polling: poll 4 waits for 5 s', { ...called, isPolling: true }, undefined],
    ['Silent for 5 s: no poll waits, and no call comes', called, undefined],
    ['Cut off: its calls fail: reset; last call 5 s ago', { ...called, lastFault: 'reset' }, undefined],
    [
      'Webhook set: with a webhook, a bot cannot poll',
      { ...called, webhookUrl: 'https://x.example' },
      undefined,
    ],
    ['Starting: process 77', idle, running],
    ['Restarting: process 77', called, { ...running, startedAtMs: 11_000, starts: 2 }],
    ['Stopping: last call 5 s ago', called, { ...running, status: 'stopping' }],
    [
      'Stopped: exit code 0, 3 s ago',
      called,
      { ...running, status: 'ended', end: { atMs: 12_000, code: 0, signal: null } },
    ],
    [
      'Killed: by SIGKILL, 3 s ago',
      called,
      { ...running, status: 'ended', end: { atMs: 12_000, code: null, signal: 'SIGKILL' } },
    ],
  ])('is %s', (expected, bot, process) => expect(words(bot, process)).toBe(expected));

  it('counts a bot between two polls as polling', () => {
    expect(words(called, running, 10_400)).toBe('Polling: last call just now');
  });
});
