/** `lastcall status` of the built program: each figure against what the sandbox knows. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import type { StatusReport } from '../../src/observe/status/report.js';
import { type Daemon, spawnDaemon } from '../support/daemon.js';
import { allAnswered, answers, openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { slowAnswers } from '../support/programs.js';
import { botFolder, reportWhen, status } from '../support/status.js';
import { idle } from '../support/stopping.js';

jest.setTimeout(60_000);

/** What a busy machine may add to a time. */
const TOLERANCE_MS = 1_500;
const HANDLED = 20;
const ANSWER_MS = 200;

const run = (bed: TestBed): Daemon =>
  runBot(bed, 'moody', { ipc: true, env: { LOG_LEVEL: 'debug', STOP_TIMEOUT: '5s' } });

const expectAbout = (actual: number | undefined, ms: number): void =>
  expect(Math.abs((actual ?? Number.NaN) - ms)).toBeLessThan(TOLERANCE_MS);

/** Holds the output to what people want of it: no line is too long, and nothing of a message or of the token is in it. */
function expectPresentable(bed: TestBed, output: string): void {
  for (const line of output.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  for (const text of ['behind', 'well', bed.token, bed.token.split(':')[1] ?? ''])
    expect(output.replaceAll('behind another', '')).not.toContain(text);
}

/** One handler runs on and two updates wait behind it; two have failed; twenty are answered. */
async function fill(bed: TestBed, daemon: Daemon): Promise<{ slowSince: number }> {
  await idle(bed);
  slowAnswers(bed, ANSWER_MS);
  const slowSince = Date.now();
  for (const text of ['slow', 'first behind', 'second behind']) bed.say({ chat: 1, text });
  for (const chat of [2, 3]) bed.say({ chat, text: `fail ${chat}` });
  for (let n = 0; n < HANDLED; n++) bed.say({ chat: 100 + n, text: 'well' });
  await answers(bed, HANDLED);
  await daemon.waitFor(() => daemon.lines.filter(({ event }) => event === 'handler.failed').length === 2);
  return { slowSince };
}

const isSettled = ({ counts }: StatusReport) => counts.handled === HANDLED;

/** Runs `lastcall log` to its end. */
async function log(bed: TestBed, ...args: readonly string[]): Promise<string> {
  await using program = spawnDaemon({ args: ['log', ...args], env: { STATE_DIR: bed.stateDir } });
  expect(await program.end()).toMatchObject({ code: 0 });
  return program.output;
}

describe('lastcall log', () => {
  it('has a running bot log more for a time', async () => {
    await using bed = await openSandbox();
    await using daemon = runBot(bed, 'echo');
    await reportWhen(bed.stateDir, ({ polling }) => polling.state === 'polling');
    const output = await log(bed, '--level=debug', '--for=600ms');
    expect(output).toBe(`process ${daemon.child.pid} logs at the level debug for 600 ms\n`);
    bed.say('hello');
    await daemon.waitFor('poll.answered');
    await daemon.waitFor('log.level-restored');
    const { length } = daemon.lines;
    bed.say('hello again');
    await answers(bed, 2);
    expect(daemon.lines.slice(length).map(({ level }) => level)).not.toContain('debug');
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});

describe('lastcall status', () => {
  it('tells the truth under load, while another stands by, of a jam, in an outage, in the drain, and over a restart', async () => {
    await using bed = await openSandbox();
    const { stateDir } = bed;
    const first = run(bed);
    try {
      const { slowSince } = await fill(bed, first);

      // Under load.
      const loaded = await reportWhen(stateDir, isSettled);
      const none = { caught: 0, timedOut: 0, expired: 0, putBack: 0 };
      expect(loaded.counts).toEqual({
        ...none,
        waiting: 2,
        running: 1,
        handled: HANDLED,
        failed: 2,
        dead: 2,
      });
      expect(loaded).toMatchObject({
        pid: first.child.pid,
        supervisor: 'none',
        phase: 'running',
        polling: { state: 'polling', isLate: false },
        handlerTimes: { count: HANDLED + 2 },
        slowest: [{ kind: 'message', key: '1' }],
        jams: [],
        inbox: { kind: 'journal' },
        stop: { budgetMs: 5_000, handlersMs: loaded.stop?.drainMs },
      });
      const [slow] = bed.exchanges().filter(({ chat }) => chat === 1);
      expect(loaded.slowest[0]?.updateId).toBe(slow?.updateId);
      expectAbout(loaded.slowest[0]?.forMs, Date.now() - slowSince);
      expectAbout(loaded.inbox.oldestMs, Date.now() - slowSince);
      const { medianMs = 0, p99Ms = 0 } = loaded.handlerTimes ?? {};
      expect(medianMs).toBeGreaterThan(ANSWER_MS * 0.95);
      expectAbout(medianMs, ANSWER_MS);
      expectAbout(p99Ms, ANSWER_MS);
      const answered = first.lines.findLast(({ event }) => event === 'poll.answered');
      const { lastPoll } = (await reportWhen(stateDir, isSettled)).polling;
      expectAbout(lastPoll?.agoMs, Date.now() - Date.parse(`${answered?.['time']}`));

      // Another process stands by.
      await using second = run(bed);
      await second.waitFor('lock.waiting');
      const own = `status-${second.child.pid}.sock`;
      const { polling } = await reportWhen(stateDir, () => true, own);
      expect(polling).toMatchObject({ state: 'standing-by', holder: first.child.pid });
      const shown = await status(stateDir);
      expect(shown).toMatchObject({ code: 0 });
      expect(shown.output).toMatch(
        /^@\w+ \(\d+\) {2}polling for [\s\S]*^bot \d+ {2}standing by for .*, process \d+ polls$/m,
      );
      expect(shown.output).toContain('1 running, 2 waiting, 20 handled, 2 failed, 2 dead letters');
      expectPresentable(bed, shown.output);
      expect(await second.stop()).toMatchObject({ code: 0 });

      // The chat jams.
      await first.waitFor('dispatch.jammed');
      const jammed = await reportWhen(stateDir, ({ jams }) => jams.length > 0);
      expect(jammed.jams).toMatchObject([{ key: '1', waiting: 2 }]);
      expectAbout(jammed.jams[0]?.waitedMs, Date.now() - slowSince);
      expect((await status(stateDir)).output).toMatch(
        /^ {2}jam +chat 1: 2 updates wait behind another, for 1\d(\.\d)? s$/m,
      );

      // Telegram is out of reach, and comes back.
      const outage = bed.addFault({ kind: 'refuse' });
      await first.waitFor('poll.failed');
      const cut = await reportWhen(stateDir, (report) => report.polling.state === 'hindered');
      expect(cut.polling).toMatchObject({ why: 'Telegram unreachable', detail: expect.any(String) });
      expectAbout(cut.polling.forMs, 0);
      expect((await status(stateDir)).output).toMatch(/^@\w+ \(\d+\) {2}Telegram unreachable for /m);
      bed.removeFaults(outage);
      await first.waitFor('poll.recovered');
      await reportWhen(stateDir, (report) => report.polling.state === 'polling');

      // It drains.
      first.kill('SIGTERM');
      await first.waitFor('drain.started');
      const draining = await reportWhen(stateDir, ({ phase }) => phase === 'stopping');
      expect(draining).toMatchObject({ step: { name: 'draining' }, counts: { running: 1, waiting: 2 } });
      first.child.send('go on');
      expect(await first.end()).toMatchObject({ code: 0 });
    } finally {
      await first[Symbol.asyncDispose]();
    }

    // No process is left, and the files tell.
    const stopped = await status(stateDir);
    expect(stopped.code).toBe(1);
    expect(stopped.output).toMatch(/^bot \d+ {2}not running\n {2}process +stopped .* ago with exit code 0$/m);
    expect(stopped.output).toContain('what is on disk in');
    expect(stopped.output).toContain('0 begun, 2 waiting, 2 dead letters');
    expectPresentable(bed, stopped.output.replaceAll(stateDir, ''));

    // The next run handles what waits, is killed, and leaves its socket to the one after it.
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await using next = run(bed);
      await answers(bed, HANDLED + 3);
      const report = await reportWhen(stateDir, ({ counts }) => counts.waiting + counts.running === 0);
      expect(report).toMatchObject({ pid: next.child.pid, counts: { dead: 2 } });
      if (signal === 'SIGKILL') expect(report.counts.handled).toBe(2);
      await next.stop(signal);
      const { output } = await status(stateDir);
      if (signal === 'SIGKILL')
        expect(output).toMatch(/^ {2}process +\d+: was killed; it was running, since /m);
    }
  });

  it('is answered in a folder with a long name, to its user alone, and the run goes on where it cannot be', async () => {
    await using bed = await openSandbox();
    const stateDir = join(bed.stateDir, 'a'.repeat(100));
    await using daemon = runBot(bed, 'echo', { env: { STATE_DIR: stateDir } });
    const { bot } = await reportWhen(stateDir, ({ polling }) => polling.state === 'polling');
    const socket = join(botFolder(stateDir), 'status.sock');
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect((await status(stateDir, '--json', `--bot=${bot}`)).code).toBe(0);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(() => statSync(socket)).toThrow('ENOENT');

    mkdirSync(join(socket, 'in-the-way'), { recursive: true });
    await using other = runBot(bed, 'echo', { env: { STATE_DIR: stateDir } });
    expect(await other.waitFor('status.unavailable')).toMatchObject({ level: 'info', path: socket });
    bed.say('hello');
    await allAnswered(bed);
    expect(await other.stop()).toMatchObject({ code: 0 });
    expect(other.events().filter((event) => event === 'status.unavailable')).toHaveLength(1);
  });
});
