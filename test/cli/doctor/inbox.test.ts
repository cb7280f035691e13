import { describe, expect, it } from '@jest/globals';
import { checkInbox, type InboxFacts } from '../../../src/cli/doctor/inbox.js';
import type { OnDisk } from '../../../src/cli/status/on-disk.js';
import type { RunRecord } from '../../../src/host/run-record.js';
import type { StatusReport } from '../../../src/observe/status/report.js';
import { busyReport } from '../../support/busy-report.js';
import { textOf, troubles } from '../../support/findings.js';

const bot = { key: '123456789', folder: '/var/lib/lastcall/123456789', inboxBytes: 4_096 };
const wellReport: StatusReport = { ...busyReport, counts: { ...busyReport.counts, dead: 0 } };
const running = (changed: Partial<StatusReport> = {}): InboxFacts => ({
  seen: { ...bot, source: 'process', reports: [{ ...wellReport, ...changed }] },
  unused: [],
  kind: 'journal',
});

const lastRun: RunRecord = { phase: 'stopped', pid: 7, sinceMs: 0, supervisor: 'systemd', exitCode: 0 };
const empty = { waiting: 0, begun: 0, dead: 0, oldestMs: undefined, owner: { kind: 'none' } } as const;
const onDisk: OnDisk = { lastRun, isRunning: false, inbox: empty, unreadable: undefined };
const stopped = (changed: Partial<OnDisk> = {}, isSilent = false): InboxFacts => ({
  seen: { ...bot, source: 'disk', isSilent, reports: [], onDisk: { ...onDisk, ...changed } },
  unused: [],
  kind: 'journal',
});

describe('the inbox', () => {
  it.each<[string, InboxFacts, readonly string[], RegExp]>([
    ['of a bot at work', running(), [], /4711, running for 3 h 4 min[\s\S]*14 waiting, 2 running/],
    [
      'with dead letters',
      running({ counts: busyReport.counts }),
      ['dead letters: warning'],
      /2 updates given up/,
    ],
    [
      'in which something is old',
      running({ inbox: { kind: 'journal', oldestMs: 20 * 60_000 } }),
      ['inbox: warning'],
      /the oldest for 20 min[\s\S]*lastcall status/,
    ],
    [
      'of a bot without an answer to its polls',
      running({ polling: { ...busyReport.polling, isLate: true } }),
      ['process: wrong'],
      /no answer to a poll/,
    ],
    ['of a bot that was stopped', stopped(), [], /exit code 0[\s\S]*0 waiting/],
    ['of a bot that has never run', { seen: undefined, unused: [], kind: 'journal' }, [], /^$/],
    ['that no run has made', stopped({ inbox: undefined }), [], /empty/],
    ['of a bot that hangs', stopped({}, true), ['process: wrong'], /\(7\) does not answer[\s\S]*-p 7/],
    [
      'of a bot that was killed',
      stopped({ lastRun: { ...lastRun, phase: 'running' } }),
      ['process: warning'],
      /was killed while it was running[\s\S]*out of memory/,
    ],
    [
      'of a bot that failed under systemd',
      stopped({ lastRun: { ...lastRun, exitCode: 78 } }),
      ['process: warning'],
      /exit code 78[\s\S]*journalctl/,
    ],
    [
      'of a bot that failed under pm2',
      { ...stopped({ lastRun: { ...lastRun, exitCode: 70, supervisor: 'pm2' } }), app: 'my shop' },
      ['process: warning'],
      /pm2 logs 'my shop'/,
    ],
    [
      'of a bot that failed in a container',
      stopped({ lastRun: { ...lastRun, exitCode: 70, supervisor: 'container' } }),
      ['process: warning'],
      /^(?![\s\S]*journalctl)[\s\S]*docker logs[\s\S]*kubectl logs --previous/,
    ],
    [
      'of a bot that failed in a terminal',
      stopped({ lastRun: { ...lastRun, exitCode: 70, supervisor: 'none' } }),
      ['process: warning'],
      /^Nobody runs the bot\. The last run ended with exit code 70\.\n.*start the bot$/m,
    ],
    [
      'of a bot that ended in a terminal',
      stopped({ lastRun: { ...lastRun, supervisor: 'none' } }),
      [],
      /exit code 0/,
    ],
    ['that cannot be read', stopped({ unreadable: 'the disk fails' }), ['inbox: wrong'], /the disk fails/],
    [
      'in which updates wait for nobody',
      stopped({ inbox: { ...empty, waiting: 2, begun: 1, oldestMs: 5_000 } }),
      ['inbox: warning'],
      /3 updates in the inbox, the oldest for 5 s, and nobody/,
    ],
    [
      'in which dead letters wait for nobody',
      stopped({ inbox: { ...empty, dead: 1 } }),
      ['dead letters: warning'],
      /1 update given up/,
    ],
    [
      'that is closed',
      { seen: { ...bot, source: 'forbidden', owner: 'ann' }, unused: [], kind: 'journal' },
      ['process: skipped'],
      /belongs to ann[\s\S]*sudo/,
    ],
    [
      'that a former version has left',
      { ...running(), unused: [{ path: '/s/1-0a/inbox', updates: 3, dead: 0, isFormer: true }] },
      ['inbox: warning'],
      /3 updates and 0 dead letters[\s\S]*--bot 1-0a/,
    ],
    [
      'that is not used any more',
      {
        ...running(),
        kind: 'memory',
        unused: [{ path: '/s/1/inbox', updates: 3, dead: 1, isFormer: false }],
      },
      ['inbox: warning'],
      /INBOX names another kind/,
    ],
  ])('%s', (_, facts, found, words) => {
    const findings = checkInbox(facts);
    expect(troubles(findings)).toEqual(found);
    expect(textOf(findings)).toMatch(words);
  });
});
