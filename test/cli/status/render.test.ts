import { describe, expect, it } from '@jest/globals';
import type { SeenBot } from '../../../src/cli/status/look.js';
import { nothingFound, render } from '../../../src/cli/status/render.js';
import type { StatusReport } from '../../../src/observe/status/report.js';
import { busyReport } from '../../support/busy-report.js';

const NOW = Date.UTC(2026, 0, 1);
const bot = { key: '123456789', folder: '/var/lib/lastcall/123456789' };

const report = busyReport;

const found = { bots: [], looked: ['/home/me/.local/state/lastcall', '/var/lib'], places: [], closed: [] };

function shown(seen: Partial<StatusReport> | SeenBot, closed: readonly string[] = []): string {
  const one: SeenBot =
    'source' in seen
      ? seen
      : { ...bot, source: 'process', reports: [{ ...report, ...seen }], inboxBytes: 1_230_000 };
  const text = render([one], { ...found, closed }, { colours: false, nowMs: NOW });
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  return text;
}

const onDisk = (part: object): SeenBot => ({
  ...bot,
  ...{ source: 'disk', isSilent: false, reports: [], inboxBytes: 262_144 },
  onDisk: {
    lastRun: { phase: 'running', sinceMs: NOW - 60_000, pid: 4711, supervisor: 'systemd' },
    isRunning: false,
    inbox: { waiting: 3, begun: 1, dead: 2, oldestMs: 61_000, owner: { kind: 'none' } },
    unreadable: undefined,
    ...part,
  },
});

describe('the status of a bot', () => {
  it('is short and aligned', () => {
    expect(shown(report)).toBe(`@my_bot (123456789)  polling for 3 h 4 min
  process   4711 under systemd, for 3 h 4 min
  Telegram  answered 43 s ago (a quiet poll takes up to 50 s)
  updates   2 running, 14 waiting, 1203 handled, 3 failed, 5 put back, 2 dead
            letters (lastcall inbox)
  handlers  half within 41 ms, 99 % within 1.2 s (312 in the last 5 min)
  slowest   update 627819794 (message) in chat 202, for 12.3 s
            update 627819801 (callback_query) in chat -100303, for 420 ms
  jam       chat 202: 3 updates wait behind another, for 11.9 s
  inbox     oldest update 12.4 s old, 1.2 MB on disk
  stop      would wait for 2 handlers, 58 s at most; may take 1 min 30 s in all
`);
  });

  it('has colours where they are wanted, and only there', () => {
    const one: SeenBot = { ...bot, source: 'process', reports: [report], inboxBytes: 0 };
    const text = render([one], found, { colours: true, nowMs: NOW });
    expect(text).toContain('\u001b[1m@my_bot (123456789)\u001b[0m  \u001b[32mpolling for 3 h 4 min\u001b[0m');
    expect(shown(report)).not.toContain('\u001b');
  });

  it.each<[Partial<StatusReport>, RegExp]>([
    [
      { phase: 'starting', step: { name: 'starting database', leftMs: 58_000 } },
      / {2}starting database, 58 s left$/m,
    ],
    [{ phase: 'stopping', step: { name: 'draining', leftMs: 12_000 } }, / {2}draining, 12 s left$/m],
    [
      { polling: { ...report.polling, isLate: true } },
      / {2}the poll is late\n[\s\S]*overdue: a poll takes up to 50 s$/m,
    ],
    [
      {
        polling: {
          ...report.polling,
          state: 'hindered',
          why: 'Telegram unreachable',
          forMs: 12_000,
          detail: 'ECONNREFUSED',
        },
      },
      / {2}Telegram unreachable for 12 s\n[\s\S]*^ {2}error +ECONNREFUSED\n {2}Telegram {2}answered 43 s ago$/m,
    ],
    [
      { polling: { ...report.polling, state: 'standing-by', holder: 12 } },
      / {2}standing by for 3 h 4 min, process 12 polls\n {2}process +4711 .*\n$/,
    ],
    [
      {
        polling: { ...report.polling, state: 'standing-by', why: 'b.example (pid 12)' },
        inbox: { kind: 'postgres' },
      },
      / {2}standing by for 3 h 4 min, b\.example \(pid 12\) polls\n[\s\S]*^ {2}inbox +in the database, shared with all its processes \(lastcall inbox\)$/m,
    ],
    [
      { polling: { ...report.polling, state: 'ended', why: 'TOKEN_REFUSED' } },
      / {2}not polled any more: TOKEN_REFUSED$/m,
    ],
    [
      { counts: { ...report.counts, running: 0 } },
      /^ {2}stop {6}would wait for no handler now; may take 1 min 30 s in all$/m,
    ],
    [
      { inbox: { kind: 'memory' } },
      /^ {2}inbox +none: Telegram keeps what is not handled \(INBOX=memory\)$/m,
    ],
  ])('says in words: %#', (part, words) => {
    expect(shown(part)).toMatch(words);
  });

  it('cannot be changed by what a key is made of', () => {
    const text = shown({ jams: [{ key: `\u001b[2J${'x'.repeat(99)}`, waiting: 1, waitedMs: 11_000 }] });
    expect(text).not.toContain('\u001b');
    expect(shown({ supervisor: '\u001b]52;c;aGk=\u0007' })).not.toContain('\u001b');
    expect(shown({ phase: 'starting', step: { name: 'starting \u001b[2J' } })).not.toContain('\u001b');
    expect(text).toMatch(/1 update waits behind another/);
  });
});

describe('the status of a bot whose process does not answer', () => {
  it.each<[string, object, object, RegExp]>([
    [
      'was killed',
      {},
      {},
      /^bot 123456789 {2}not running\n {2}process +4711: was killed; it was running, since 1 min ago$/m,
    ],
    [
      'has stopped',
      { lastRun: { phase: 'stopped', sinceMs: NOW - 60_000, pid: 4711, exitCode: 78, supervisor: 'none' } },
      {},
      /not running\n {2}process +stopped 1 min ago with exit code 78$/m,
    ],
    [
      'hangs',
      {},
      { isSilent: true },
      /does not answer\n {2}process +4711: its event loop is busy, or it is halted/,
    ],
    [
      'has no socket',
      { isRunning: true },
      {},
      /running\n {2}process +4711: it runs, but has no socket to ask at \(yet\)$/m,
    ],
    [
      'runs elsewhere',
      {
        inbox: {
          waiting: 0,
          begun: 0,
          dead: 0,
          owner: { kind: 'remote', runId: 'x', host: 'other', silentMs: 1 },
        },
      },
      {},
      /in use elsewhere\n {2}process +on other; whether it still runs cannot be checked from here$/m,
    ],
    [
      'has never run',
      { lastRun: undefined, inbox: undefined },
      {},
      /^bot 123456789 {2}not running\n {2}source/,
    ],
  ])('%s', (_, disk, seen, words) => {
    expect(shown({ ...onDisk(disk), ...seen } as SeenBot)).toMatch(words);
  });

  it('is what is on disk, and says that', () => {
    expect(shown(onDisk({}))).toBe(`bot 123456789  not running
  process   4711: was killed; it was running, since 1 min ago
  source    what is on disk in /var/lib/lastcall/123456789, because no process
            has answered
  updates   1 begun, 3 waiting, 2 dead letters (lastcall inbox)
  inbox     oldest update 1 min 1 s old, 262 kB on disk
`);
  });
});

describe('what may not be looked at', () => {
  it('is named, with what to do', () => {
    const text = shown({ ...bot, source: 'forbidden', owner: 'shop' }, ['/var/lib/lastcall-x']);
    expect(text).toContain('belongs to user shop');
    expect(text).toContain('sudo lastcall status');
    expect(text).toContain('/var/lib/lastcall-x');
  });

  it('is named where nothing is found, as is where bots were looked for', () => {
    expect(nothingFound(found, NOW)).toBe('There is no bot in /home/me/.local/state/lastcall, /var/lib.\n');
    expect(nothingFound({ ...found, closed: ['/var/lib/lastcall'] }, NOW)).toContain(
      'may not look into /var/lib/lastcall',
    );
  });

  it('names the newest start that failed before its bot was known', () => {
    const failed = { message: 'BOT_TOKEN is wrong\n  - more', exitCode: 78, supervisor: 'none', times: 1 };
    expect(nothingFound(found, NOW, { ...failed, firstMs: 0, lastMs: NOW - 60_000 })).toContain(
      '/var/lib. A start has failed 1 min ago: BOT_TOKEN is wrong (lastcall history).\n',
    );
  });
});
