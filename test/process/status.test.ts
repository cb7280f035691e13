/** `lastcall status` and `lastcall log` of the built program: each figure against what the sandbox knows. */
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

interface Scene {
  readonly bed: TestBed;
  readonly daemon: Daemon;
  /** When the handler began that does not end. */
  readonly slowSince: number;
}

async function expectTruthUnderLoad({ bed, daemon, slowSince }: Scene): Promise<void> {
  const report = await reportWhen(bed.stateDir, isSettled);
  const none = { caught: 0, timedOut: 0, expired: 0, putBack: 0 };
  const counts = { ...none, waiting: 2, running: 1, handled: HANDLED, failed: 2, dead: 2 };
  expect(report.counts).toEqual(counts);
  expect(report).toMatchObject({
    pid: daemon.child.pid,
    supervisor: 'none',
    phase: 'running',
    polling: { state: 'polling', isLate: false },
    handlerTimes: { count: HANDLED + 2 },
    slowest: [{ kind: 'message', key: '1' }],
    jams: [],
    inbox: { kind: 'journal' },
    stop: { budgetMs: 5_000, handlersMs: report.stop?.drainMs },
  });
  const [slow] = bed.exchanges().filter(({ chat }) => chat === 1);
  expect(report.slowest[0]?.updateId).toBe(slow?.updateId);
  expectAbout(report.slowest[0]?.forMs, Date.now() - slowSince);
  expectAbout(report.inbox.oldestMs, Date.now() - slowSince);
  const { medianMs = 0, p99Ms = 0 } = report.handlerTimes ?? {};
  expect(medianMs).toBeGreaterThan(ANSWER_MS * 0.95);
  expectAbout(medianMs, ANSWER_MS);
  expectAbout(p99Ms, ANSWER_MS);
  const answered = daemon.lines.findLast(({ event }) => event === 'poll.answered');
  const { lastPoll } = (await reportWhen(bed.stateDir, isSettled)).polling;
  expectAbout(lastPoll?.agoMs, Date.now() - Date.parse(`${answered?.['time']}`));
}

async function expectTruthBesideAnother({ bed, daemon }: Scene): Promise<void> {
  await using second = run(bed);
  await second.waitFor('lock.waiting');
  const own = `status-${second.child.pid}.sock`;
  const { polling } = await reportWhen(bed.stateDir, () => true, own);
  expect(polling).toMatchObject({ state: 'standing-by', holder: daemon.child.pid });
  const { code, output } = await status(bed.stateDir);
  expect(code).toBe(0);
  expect(output).toMatch(
    /^@\w+ \(\d+\) {2}polling for [\s\S]*^bot \d+ {2}standing by for .*, process \d+ polls$/m,
  );
  expect(output).toContain('1 running, 2 waiting, 20 handled, 2 failed, 2 dead letters');
  expectPresentable(bed, output);
  expect(await second.stop()).toMatchObject({ code: 0 });
}

/** The log says less for a moment, and then as much as before. */
async function expectLevelChange({ bed, daemon }: Scene): Promise<void> {
  const args = ['log', '--level=error', '--for=300ms'];
  await using program = spawnDaemon({ args, env: { STATE_DIR: bed.stateDir } });
  expect(await program.end()).toMatchObject({ code: 0 });
  expect(program.output).toBe(`process ${daemon.child.pid} logs at the level error for 300 ms\n`);
  const changed = await daemon.waitFor('log.level-changed');
  const restored = await daemon.waitFor('log.level-restored');
  expect([changed['logLevel'], restored['logLevel']]).toEqual(['error', 'debug']);
  expect(daemon.lines.indexOf(restored) - daemon.lines.indexOf(changed)).toBe(1);
}

async function expectTruthOfJam({ bed, daemon, slowSince }: Scene): Promise<void> {
  await daemon.waitFor('dispatch.jammed');
  const { jams } = await reportWhen(bed.stateDir, (report) => report.jams.length > 0);
  expect(jams).toMatchObject([{ key: '1', waiting: 2 }]);
  expectAbout(jams[0]?.waitedMs, Date.now() - slowSince);
  const { output } = await status(bed.stateDir);
  expect(output).toMatch(/^ {2}jam +chat 1: 2 updates wait behind another, for 1\d(\.\d)? s$/m);
}

async function expectTruthInOutage({ bed, daemon }: Scene): Promise<void> {
  const outage = bed.addFault({ kind: 'refuse' });
  await daemon.waitFor('poll.failed');
  const { polling } = await reportWhen(bed.stateDir, (report) => report.polling.state === 'hindered');
  expect(polling).toMatchObject({ why: 'Telegram unreachable', detail: expect.any(String) });
  expectAbout(polling.forMs, 0);
  const { output } = await status(bed.stateDir);
  expect(output).toMatch(/^@\w+ \(\d+\) {2}Telegram unreachable for /m);
  bed.removeFaults(outage);
  await daemon.waitFor('poll.recovered');
  await reportWhen(bed.stateDir, (report) => report.polling.state === 'polling');
}

async function expectTruthInDrain({ bed, daemon }: Scene): Promise<void> {
  daemon.kill('SIGTERM');
  await daemon.waitFor('drain.started');
  const report = await reportWhen(bed.stateDir, ({ phase }) => phase === 'stopping');
  expect(report).toMatchObject({ step: { name: 'draining' }, counts: { running: 1, waiting: 2 } });
  daemon.child.send('go on');
  expect(await daemon.end()).toMatchObject({ code: 0 });
}

async function expectTruthWithoutProcess({ bed }: Scene): Promise<void> {
  const { code, output } = await status(bed.stateDir);
  expect(code).toBe(1);
  expect(output).toMatch(/^bot \d+ {2}not running\n {2}process +stopped .* ago with exit code 0$/m);
  expect(output).toContain('what is on disk in');
  expect(output).toContain('0 begun, 2 waiting, 2 dead letters');
  expectPresentable(bed, output.replaceAll(bed.stateDir, ''));
}

/** The next run handles what waits, is killed, and leaves its socket to the one after it. */
async function expectTruthOverRestarts({ bed }: Scene): Promise<void> {
  await using killed = run(bed);
  await answers(bed, HANDLED + 3);
  const report = await reportWhen(bed.stateDir, ({ counts }) => counts.waiting + counts.running === 0);
  expect(report).toMatchObject({ pid: killed.child.pid, counts: { handled: 2, dead: 2 } });
  await killed.stop('SIGKILL');
  const { output } = await status(bed.stateDir);
  expect(output).toMatch(/^ {2}process +\d+: was killed; it was running, since /m);

  await using next = run(bed);
  await reportWhen(bed.stateDir, ({ pid, polling }) => pid === next.child.pid && polling.state === 'polling');
  expect(await next.stop()).toMatchObject({ code: 0 });
}

describe('lastcall status', () => {
  it('tells the truth under load, beside another, of a jam, in an outage, in the drain, and over restarts', async () => {
    await using bed = await openSandbox();
    await using daemon = run(bed);
    const scene: Scene = { bed, daemon, ...(await fill(bed, daemon)) };
    await expectTruthUnderLoad(scene);
    await expectTruthBesideAnother(scene);
    await expectTruthOfJam(scene);
    await expectLevelChange(scene);
    await expectTruthInOutage(scene);
    await expectTruthInDrain(scene);
    await expectTruthWithoutProcess(scene);
    await expectTruthOverRestarts(scene);
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
