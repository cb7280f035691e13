import { describe, expect, it } from '@jest/globals';
import { endInShort, endInWords, severityOf } from '../../../src/cli/history/end-words.js';
import { LocalTime } from '../../../src/cli/history/local-time.js';
import type { Run } from '../../../src/cli/history/runs.js';
import { historyInWords } from '../../../src/cli/history/text.js';
import type { EndedRecord } from '../../../src/observe/history/record.js';
import { week } from '../../support/week.js';

type Ending = Pick<Run, 'end' | 'stopping'>;

const at = { fromMs: 0, toMs: 0 };
const stopping = { kind: 'stopping', run: 'a', atMs: 0, reason: 'SIGTERM', budgetMs: 1 } as const;

const receipt = (given: Partial<EndedRecord>): Ending => ({
  stopping: undefined,
  end: {
    ...{ kind: 'receipt', ...at },
    receipt: {
      ...{ kind: 'ended', run: 'a', atMs: 0, upMs: 1, stopMs: 1_200, counts: {} },
      ...{ reason: 'SIGTERM', reasonKind: 'signal', outcome: 'clean', exitCode: 0, steps: [] },
      ...given,
    },
  },
});

const step = { hook: 'database', step: 'stop', afterMs: 0, durationMs: 3_000 } as const;
const kill = { kind: 'killed', ...at, machineRestarted: false } as const;
const killed = (given: Pick<Ending, 'end'>['end'], asked?: Ending['stopping']): Ending => ({
  end: given,
  stopping: asked,
});

const endings: readonly (readonly [words: string, severity: string, run: Ending])[] = [
  ['SIGTERM, clean in 1.2 s', 'fine', receipt({})],
  [
    'process.exit(3) was called, clean in 1.2 s, exit 3',
    'bad',
    receipt({ reason: 'process.exit(3) was called', exitCode: 3 }),
  ],
  [
    'SIGTERM, not clean: database cut off after 3 s, exit 1',
    'cut',
    receipt({ outcome: 'cut', exitCode: 1, steps: [{ ...step, result: 'cut' }] }),
  ],
  [
    'SIGTERM, not clean: database failed (no disk), exit 1',
    'cut',
    receipt({ outcome: 'cut', exitCode: 1, steps: [{ ...step, result: 'failed', error: 'no disk' }] }),
  ],
  ['SIGTERM, not clean: cut off after 1.2 s, exit 143', 'bad', receipt({ outcome: 'cut', exitCode: 143 })],
  [
    'fault: uncaught exception: no price, exit 70',
    'bad',
    receipt({ reason: 'uncaught exception: no price', reasonKind: 'fault', outcome: 'fault', exitCode: 70 }),
  ],
  [
    'could not start: no such file, exit 78',
    'bad',
    receipt({ reason: 'no such file', reasonKind: 'start-failed', outcome: 'cut', exitCode: 78 }),
  ],
  [
    'this bot alone: stopped by the program',
    'fine',
    receipt({ reason: 'stopped by the program', reasonKind: 'bot-ended' }),
  ],
  ['killed from outside, without a stop', 'bad', killed({ ...kill, phase: 'running' })],
  ['killed from outside, in the start of bot', 'bad', killed({ ...kill, phase: 'starting', hook: 'bot' })],
  [
    'killed from outside, in the drain after SIGTERM',
    'bad',
    killed({ ...kill, phase: 'draining' }, stopping),
  ],
  [
    'killed from outside, in the stop of database after SIGTERM',
    'bad',
    killed({ ...kill, phase: 'stopping', hook: 'database' }, stopping),
  ],
  [
    'cut off, as the machine was restarted',
    'bad',
    killed({ ...kill, phase: 'running', machineRestarted: true }),
  ],
  ['stopped, exit 70; its receipt is lost', 'bad', killed({ kind: 'stopped', exitCode: 70, ...at })],
  [
    'SIGTERM, exit 70; its receipt is lost',
    'bad',
    killed({ kind: 'stopped', exitCode: 70, ...at }, stopping),
  ],
  ['SIGTERM; its receipt is lost', 'fine', killed({ kind: 'stopped', exitCode: undefined, ...at }, stopping)],
  ['no word of its end', 'cut', killed({ kind: 'unknown', ...at })],
  ['still running', 'fine', killed({ kind: 'running', ...at })],
  ['stopping (SIGTERM)', 'fine', killed({ kind: 'running', ...at }, stopping)],
];

describe('the end of a run', () => {
  it.each(endings)('is told as: %s (%s)', (words, severity, run) => {
    expect(endInWords(run)).toBe(words);
    expect(severityOf(run)).toBe(severity);
  });
});

describe('the mark of an end', () => {
  const ended = (given: Partial<EndedRecord>) => endInShort(receipt({ reasonKind: 'bot-ended', ...given }));

  it('names what ended a bot alone, which has no exit code', () => {
    expect(ended({ reason: 'TOKEN_REFUSED', outcome: 'fault' })).toBe('bot alone: TOKEN_REFUSED');
    expect(ended({ reason: 'stopped by the program' })).toBe('bot alone: stopped by the program');
  });
});

describe('the table of runs', () => {
  it('tells a week', () => {
    const bot = week();
    expect(historyInWords(bot, bot.runs.slice(-3), new LocalTime('UTC'))).toBe(
      `@corner_shop_bot (123456789): 12 runs since Nov 22 16:20:00

BEGAN            RAN          GAP          UPDATES  END
Nov 27 14:06:20  6 s          15.8 s       -        fault: uncaught exception: Cannot read properties of undefined (reading 'price'), exit 70
Nov 27 14:21:00  20 h 41 min  14 min 36 s  20068    SIGTERM, not clean: database cut off after 14.5 s, exit 1
    Telegram unreachable for 3 min, from Sat 09:02
Nov 28 11:02:02  1 d 5 h      21.7 s       34390    still running
`,
    );
  });

  it('shows what others have written on one line, however long, and without control characters', () => {
    const run = week().runs[0];
    if (!run) throw new Error('the week is empty');
    const reason = `uncaught exception: ${'x'.repeat(300)}\u001b[31m\nat somewhere`;
    const bad = receipt({ reason, outcome: 'fault', exitCode: 70 });
    const text = historyInWords(week(), [{ ...run, ...bad }], new LocalTime('UTC'));
    for (const part of ['\u001b', 'somewhere']) expect(text).not.toContain(part);
    for (const line of text.split('\n')) expect(line.length).toBeLessThan(200);
  });

  it('takes how long a run lasted from its receipt, whatever became of the clock of the system', () => {
    const run = week().runs[0];
    if (!run) throw new Error('the week is empty');
    const beganMs = run.end.toMs + 3_600_000;
    const text = historyInWords(
      week(),
      [{ ...run, beganMs, ...receipt({ upMs: 7_000 }) }],
      new LocalTime('UTC'),
    );
    expect(text).toMatch(/ {2}7 s {2}/);
    expect(text).not.toContain('-1');
  });

  it('says where there is none', () => {
    const text = historyInWords({ ...week(), runs: [] }, [], new LocalTime('UTC'));
    expect(text).toBe('@corner_shop_bot (123456789): no run is recorded\n');
  });
});
