import { describe, expect, it } from '@jest/globals';
import { checkPolling, obstacleToPoll, type PollingFacts } from '../../../src/cli/doctor/polling.js';
import type { RunRecord } from '../../../src/host/run-record.js';
import type { PollingStatus } from '../../../src/observe/status/report.js';
import { busyReport } from '../../support/busy-report.js';
import { textOf, troubles } from '../../support/findings.js';

const webhook = (url: string, pendingUpdateCount = 0) =>
  ({ kind: 'ok', result: { url, pendingUpdateCount } }) as const;
const reportOf = (polling: Partial<PollingStatus>) => ({
  ...busyReport,
  polling: { ...busyReport.polling, ...polling },
});
const suspect = { pid: 4712, ppid: 1, argv: ['node', '/srv/old/bot.js'], env: {}, cwd: '/srv/old' };
const lastRun: RunRecord = { phase: 'stopped', pid: 1, sinceMs: 0, supervisor: 'systemd', exitCode: 75 };

const healthy: PollingFacts = {
  apiRoot: 'https://api.telegram.org',
  me: { kind: 'ok', result: { id: 1, username: 'my_bot' } },
  webhook: webhook(''),
  deletesWebhook: true,
  report: busyReport,
  isRunning: true,
  lastRun: undefined,
  suspects: [],
  polled: undefined,
  notPolled: undefined,
};
const stopped = { report: undefined, isRunning: false };
const refused = (errorCode: number, description = 'no') =>
  ({ kind: 'refused', errorCode, description }) as const;
const byRival = refused(
  409,
  'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
);
const byWebhook = refused(409, "Conflict: can't use getUpdates method while webhook is active");
const hook = webhook('https://hook.example/a-secret-path', 12);

const check = (changed: Partial<PollingFacts>) => checkPolling({ ...healthy, ...changed });

describe('who polls', () => {
  it('is well where the bot runs, and where it does not', () => {
    expect(troubles(check({}))).toEqual([]);
    expect(textOf(check({}))).toContain('no poll was made here');
    expect(troubles(check(stopped))).toEqual([]);
    expect(textOf(check(stopped))).toContain('lastcall doctor --poll');
  });

  it.each<[string, Partial<PollingFacts>, readonly string[], RegExp]>([
    ['the token is refused', { me: refused(401) }, ['bot: wrong'], /refuses the token: 401/],
    ['the token is malformed', { me: refused(404) }, ['bot: wrong'], /404/],
    ['Telegram wants to be left alone', { me: refused(429) }, ['bot: warning'], /429/],
    [
      'a webhook comes in while the bot runs',
      { webhook: hook },
      ['webhook: wrong'],
      /another program has set it[\s\S]*BOT_TOKEN is to be set in the shell/,
    ],
    [
      'a webhook goes at the start',
      { webhook: hook, ...stopped },
      ['webhook: warning'],
      /12 updates waiting/,
    ],
    [
      'a webhook stays',
      { webhook: hook, ...stopped, deletesWebhook: false },
      ['webhook: wrong'],
      /bot\$BOT_TOKEN\/deleteWebhook/,
    ],
    [
      'another program polls beside the bot',
      { report: reportOf({ state: 'hindered', why: 'another program polls', forMs: 5_000 }) },
      ['rival: wrong'],
      /with the same token, for 5 s/,
    ],
    [
      'it may be a process of this host',
      { suspects: [suspect] },
      ['rival: warning'],
      /process 4712 \(node \/srv\/old\/bot\.js\)/,
    ],
    ['a poll that was asked for is refused', { ...stopped, polled: byRival }, ['rival: wrong'], /revoke/],
    [
      'a poll that was asked for is refused because of a webhook',
      { ...stopped, webhook: undefined, polled: byWebhook },
      ['rival: skipped'],
      /while webhook is active/,
    ],
    [
      'a poll that was asked for was not made',
      { ...stopped, notPolled: 'a webhook is set' },
      ['rival: skipped'],
      /no poll was made: a webhook is set/,
    ],
    [
      'a poll that was asked for is answered',
      { ...stopped, polled: { kind: 'ok', result: [] } },
      [],
      /nobody has polled/,
    ],
    ['the last run gave way to another', { ...stopped, lastRun }, ['rival: warning'], /\(75\)/],
    [
      'the bot does not poll for another reason',
      { report: reportOf({ state: 'hindered', why: 'disk nearly full', detail: '3 MB' }) },
      ['polling: wrong'],
      /disk nearly full \(3 MB\)/,
    ],
    ['a process runs the bot that does not answer', { report: undefined }, [], /no poll was made here/],
    ['Telegram was not reached', { me: undefined, webhook: undefined }, [], /by process 4711/],
  ])('%s', (_, changed, found, words) => {
    const findings = check(changed);
    expect(troubles(findings)).toEqual(found);
    expect(textOf(findings)).toMatch(words);
    expect(textOf(findings)).not.toContain('a-secret-path');
  });
});

describe('a poll that was asked for', () => {
  const database = { failure: undefined, version: { version: 1, least: 1 }, hosts: [] };
  const counts = { waiting: 0, interrupted: 0, running: 0, dead: 0 };
  const read = { ...database, counts };
  const host = { isAlive: true, polls: true, place: 'a 1', silentMs: 0 };
  const obstacle = (changed: Partial<Parameters<typeof obstacleToPoll>[0]>) =>
    obstacleToPoll({ webhook: webhook(''), inbox: 'journal', database: undefined, ...changed });
  const inDatabase = { inbox: 'postgres://db/bot' };

  it('is made where it can disturb no process of lastcall', () => {
    expect(obstacle({})).toBeUndefined();
    expect(obstacle({ webhook: undefined })).toBeUndefined();
    expect(obstacle({ ...inDatabase, database: read })).toBeUndefined();
    const unused = { ...database, version: undefined, counts: undefined };
    expect(obstacle({ ...inDatabase, database: unused })).toBeUndefined();
  });

  it('is not made while a webhook is set', () => expect(obstacle({ webhook: hook })).toMatch(/webhook/));

  it('is not made where another host runs the bot, or may do so', () => {
    expect(obstacle({ ...inDatabase, database: { ...read, hosts: [host] } })).toMatch(/on another host/);
    const failed = { ...database, failure: { text: '', cure: '' }, version: undefined, counts: undefined };
    expect(obstacle({ ...inDatabase, database: failed })).toMatch(/was not read/);
    expect(obstacle({ ...inDatabase, database: { ...database, counts: undefined } })).toMatch(/was not read/);
    expect(obstacle({ inbox: undefined })).toMatch(/INBOX cannot be used/);
  });
});
