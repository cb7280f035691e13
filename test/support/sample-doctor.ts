/** What `lastcall doctor` finds around a bot under pm2 that was started with the defaults and has a webhook. */
import { type Group, well } from '../../src/cli/doctor/finding.js';
import { checkNode } from '../../src/cli/doctor/node-releases.js';
import { checkPm2 } from '../../src/cli/doctor/pm2.js';
import { checkPolling } from '../../src/cli/doctor/polling.js';

const polling = checkPolling({
  apiRoot: 'https://api.telegram.org',
  me: { kind: 'ok', result: { username: 'my_bot' } },
  webhook: { kind: 'ok', result: { url: 'https://old.example/hook', pendingUpdateCount: 12 } },
  deletesWebhook: false,
  report: undefined,
  isRunning: false,
  lastRun: undefined,
  suspects: [],
  polled: undefined,
  notPolled: undefined,
});
const app = {
  ...{
    name: 'my-bot',
    from: 'ecosystem.config.mjs',
    ecosystem: 'ecosystem.config.mjs',
    script: 'node_modules/lastcall/dist/main.js',
  },
  ...{ killTimeout: undefined, stopExitCodes: '78', file: 'bot.js' },
};

export const sampleGroups: readonly Group[] = [
  {
    name: 'Settings',
    findings: [
      well('settings', '1 set, the others as by default'),
      well('token', '123456789:***, from .env:1'),
    ],
  },
  {
    name: 'Program',
    findings: [well('file', 'bot.js, Telegraf 4.16.3'), checkNode('24.11.0', Date.UTC(2026, 10, 29))],
  },
  {
    name: 'Telegram',
    findings: [
      well('reach', 'api.telegram.org answers by IPv4 in 41 ms, by IPv6 in 38 ms'),
      well('TLS', 'certificate trusted, for 81 d more'),
      well('clock', "within 1 s of the server's"),
      ...polling,
    ],
  },
  {
    name: 'State',
    findings: [
      well('folder', '/home/ann/.local/state/lastcall'),
      well('disk', '12.3 GB free, a write is safe in 2 ms'),
    ],
  },
  {
    name: 'Inbox',
    findings: [
      well('process', 'none runs; the last ended with exit code 0'),
      well('inbox', '0 waiting, no dead letters, 66 kB'),
    ],
  },
  { name: 'Supervisor', findings: checkPm2(app, 90_000) },
];
