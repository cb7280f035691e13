/** Holds what a process tells on its status socket, and what `lastcall status` prints of it, to what the sandbox knows. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { StatusReport } from '../../../src/observe/status/report.js';
import type { Daemon } from '../daemon.js';
import type { TestBed } from '../delivery.js';
import { botFolder, reportWhen, seenBot, status } from '../status.js';
import { ANSWER_MS, expectAboutMs, type Observer, type Scene, STOP_TIMEOUT_MS, truthOf } from './busy-bot.js';

/** Holds the output to what people want of it: no line is too long, and nothing of a message or of the token is in it. */
function expectPresentable(bed: TestBed, output: string): void {
  for (const line of output.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  for (const text of ['behind', 'well', bed.token, bed.token.split(':')[1] ?? ''])
    expect(output.replaceAll('behind another', '')).not.toContain(text);
}

/** The report in which all is counted that the sandbox knows of. */
function settled(scene: Scene): Promise<StatusReport> {
  const { handled, failed } = truthOf(scene);
  return reportWhen(
    scene.bed.stateDir,
    ({ counts }) => counts.handled === handled && counts.failed === failed,
  );
}

const ageMs = (daemon: Daemon, event: string): number => {
  const line = daemon.lines.findLast((one) => one.event === event);
  return Date.now() - Date.parse(`${line?.['time']}`);
};

/** What the files of the inbox take, in which the journal has room in advance. */
function bytesOnDisk({ stateDir }: TestBed): number {
  const folder = join(botFolder(stateDir), 'inbox');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return files
    .filter((file) => statSync(file).isFile())
    .reduce((sum, file) => sum + statSync(file).blocks * 512, 0);
}

export class StatusObserver implements Observer {
  readonly #day = new Date().toDateString();

  async underLoad(scene: Scene): Promise<void> {
    const { bed, daemon, slowSince } = scene;
    const report = await settled(scene);
    const { handled, failed, running, waiting, slow } = truthOf(scene);
    const none = { caught: 0, timedOut: 0, expired: 0, putBack: 0 };
    expect(report.counts).toEqual({ ...none, waiting, running, handled, failed, dead: failed });
    expect(report).toMatchObject({
      bot: bed.id,
      pid: daemon.child.pid,
      supervisor: 'none',
      phase: 'running',
      polling: { state: 'polling', isLate: false, lastPoll: { updates: expect.any(Number) } },
      handlerTimes: { count: handled + failed },
      slowest: [{ updateId: slow, kind: 'message', key: '1' }],
      jams: [],
      inbox: { kind: 'journal' },
      stop: { budgetMs: STOP_TIMEOUT_MS, handlersMs: report.stop?.drainMs },
    });
    expectAboutMs(report.upMs, ageMs(daemon, 'lifecycle.starting'));
    expectAboutMs(report.polling.forMs, ageMs(daemon, 'poll.connected'));
    expectAboutMs(report.slowest[0]?.forMs, Date.now() - slowSince);
    expectAboutMs(report.inbox.oldestMs, Date.now() - slowSince);
    const { medianMs = 0, p99Ms = 0, maxMs = 0 } = report.handlerTimes ?? {};
    expect(medianMs).toBeGreaterThan(ANSWER_MS * 0.95);
    for (const ms of [medianMs, p99Ms, maxMs]) expectAboutMs(ms, ANSWER_MS);
    expectAboutMs((await settled(scene)).polling.lastPoll?.agoMs, ageMs(daemon, 'poll.answered'));
    expect((await seenBot(bed.stateDir)).inboxBytes).toBe(bytesOnDisk(bed));
    await this.#expectRestarts(bed, 0);
  }

  async standingBy(scene: Scene, other: Daemon): Promise<void> {
    const { bed, daemon } = scene;
    const own = `status-${other.child.pid}.sock`;
    const { polling } = await reportWhen(bed.stateDir, () => true, own);
    expect(polling).toMatchObject({ state: 'standing-by', holder: daemon.child.pid });
    expectAboutMs(polling.forMs, ageMs(other, 'lock.waiting'));
    const { code, output } = await status(bed.stateDir);
    expect(code).toBe(0);
    expect(output).toMatch(
      /^@\w+ \(\d+\) {2}polling for [\s\S]*^bot \d+ {2}standing by for .*, process \d+ polls$/m,
    );
    const { handled, failed, running, waiting } = truthOf(scene);
    expect(output).toContain(
      `${running} running, ${waiting} waiting, ${handled} handled, ${failed} failed, ${failed} dead letters`,
    );
    expectPresentable(bed, output);
  }

  async jammed(scene: Scene): Promise<void> {
    const { bed, slowSince } = scene;
    const { waiting } = truthOf(scene);
    const { jams } = await reportWhen(bed.stateDir, (report) => report.jams.length > 0);
    expect(jams).toMatchObject([{ key: '1', waiting }]);
    expectAboutMs(jams[0]?.waitedMs, Date.now() - slowSince);
    const { output } = await status(bed.stateDir);
    expect(output).toMatch(/^ {2}jam +chat 1: 2 updates wait behind another, for 1\d(\.\d)? s$/m);
  }

  async inOutage({ bed, daemon }: Scene): Promise<void> {
    const { polling } = await reportWhen(bed.stateDir, (report) => report.polling.state === 'hindered');
    expect(polling).toMatchObject({ why: 'Telegram unreachable', detail: expect.any(String) });
    expectAboutMs(polling.forMs, ageMs(daemon, 'dispatch.held'));
    const { output } = await status(bed.stateDir);
    expect(output).toMatch(/^@\w+ \(\d+\) {2}Telegram unreachable for /m);
  }

  async afterOutage({ bed, daemon }: Scene): Promise<void> {
    const { polling } = await reportWhen(bed.stateDir, (report) => report.polling.state === 'polling');
    expect(polling.why).toBeUndefined();
    expectAboutMs(polling.forMs, ageMs(daemon, 'poll.recovered'));
  }

  async draining(scene: Scene): Promise<void> {
    const report = await reportWhen(scene.bed.stateDir, ({ phase }) => phase === 'stopping');
    const { running, waiting } = truthOf(scene);
    expect(report).toMatchObject({ step: { name: 'draining' }, counts: { running, waiting } });
    expect(report.step?.leftMs).toBeLessThan(STOP_TIMEOUT_MS);
  }

  async stopped(scene: Scene): Promise<void> {
    const { bed } = scene;
    const { waiting, failed } = truthOf(scene);
    const { code, output } = await status(bed.stateDir);
    expect(code).toBe(1);
    expect(output).toMatch(/^bot \d+ {2}not running\n {2}process +stopped .* ago with exit code 0$/m);
    expect(output).toContain('what is on disk in');
    expect(output).toContain(`0 begun, ${waiting} waiting, ${failed} dead letters`);
    expectPresentable(bed, output.replaceAll(bed.stateDir, ''));
  }

  async restarted(scene: Scene, next: Daemon): Promise<void> {
    const { bed } = scene;
    const report = await reportWhen(bed.stateDir, ({ counts }) => counts.waiting + counts.running === 0);
    const { failed } = truthOf(scene);
    expect(report).toMatchObject({ pid: next.child.pid, counts: { handled: 2, failed: 0, dead: failed } });
    await this.#expectRestarts(bed, 1);
  }

  async killed({ bed }: Scene): Promise<void> {
    const { output } = await status(bed.stateDir);
    expect(output).toMatch(/^ {2}process +\d+: was killed; it was running, since /m);
  }

  async afterKill({ bed }: Scene, next: Daemon): Promise<void> {
    const isPolled = ({ pid, polling }: StatusReport) =>
      pid === next.child.pid && polling.state === 'polling';
    await reportWhen(bed.stateDir, isPolled);
    await this.#expectRestarts(bed, 2);
  }

  /** They are those of today: where midnight has passed meanwhile, there are fewer. */
  async #expectRestarts({ stateDir }: TestBed, restarts: number): Promise<void> {
    const { restartsToday } = await seenBot(stateDir);
    if (new Date().toDateString() === this.#day) expect(restartsToday).toBe(restarts);
  }
}
