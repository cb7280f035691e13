/** `lastcall history` of the built program: each figure against what the sandbox, and the log of each run, knows. */
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import type { Run } from '../../src/cli/history/runs.js';
import { isObject, parseJson } from '../../src/json.js';
import { type Daemon, spawnDaemon } from '../support/daemon.js';
import { answers, openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { Folder, repository } from '../support/folder.js';
import { history } from '../support/history-run.js';
import { slowAnswers } from '../support/programs.js';
import { botFolder, status } from '../support/status.js';
import { idle } from '../support/stopping.js';

jest.setTimeout(60_000);

const TOLERANCE_MS = 700;
const ANSWER_MS = 200;

const expectAbout = (actual: number | undefined, ms: number): void =>
  expect(Math.abs((actual ?? Number.NaN) - ms)).toBeLessThan(TOLERANCE_MS);

async function runsIn(stateDir: string, ...args: readonly string[]): Promise<readonly Run[]> {
  const { output } = await history(stateDir, '--json', ...args);
  const value = parseJson(output);
  const [bot]: unknown[] = isObject(value) && Array.isArray(value['bots']) ? value['bots'] : [];
  return isObject(bot) && Array.isArray(bot['runs']) ? bot['runs'] : [];
}

/** The arguments of each command in the README's section. */
function readmeCommands(): readonly (readonly string[])[] {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');
  const commands = [...readme.matchAll(/^npx lastcall history (.*?)(?: +#.*)?$/gm)];
  expect(commands.length).toBeGreaterThan(3);
  return commands.map(([, args = '']) => args.split(' '));
}

/** When Telegram first answered a poll after a moment, by the sandbox. */
function firstPollAfter(bed: TestBed, atMs: number): number {
  const polls = bed.calls({ method: 'getUpdates' });
  const answered = polls.flatMap((call) =>
    call.answered ? performance.timeOrigin + call.answered.atMs : [],
  );
  return answered.find((ms) => ms > atMs) ?? Number.NaN;
}

const timeOf = (line: { readonly [field: string]: unknown }): number => Date.parse(`${line['time']}`);

interface Played {
  /** When the first run was asked to stop, and when it had ended. */
  readonly stoppedAtMs: number;
  readonly endedAtMs: number;
  readonly killedAtMs: number;
  readonly first: Daemon;
  readonly killed: Daemon;
  readonly cut: Daemon;
}

/** What happens between the begin and the end of a run is written asynchronously. */
async function polledInHistory({ stateDir }: TestBed, { child }: Daemon): Promise<void> {
  const file = join(botFolder(stateDir), 'history.jsonl');
  const polled = new RegExp(`"state","run":"${child.pid}-[^}]*"state":"polling"`);
  while (!polled.test(readFileSync(file, 'utf8'))) await sleep(20);
}

/** Three runs: one that stops cleanly, one that is killed, and one that sees an outage and has a hook cut off. */
async function play(bed: TestBed): Promise<Played> {
  await using first = runBot(bed, 'hooks');
  await idle(bed);
  slowAnswers(bed, ANSWER_MS);
  for (let chat = 1; chat <= 5; chat++) bed.say({ chat, text: 'hello' });
  await answers(bed, 5);
  const stoppedAtMs = Date.now();
  expect(await first.stop()).toMatchObject({ code: 0 });
  const endedAtMs = Date.now();

  await using killed = runBot(bed, 'hooks');
  await killed.waitFor('poll.started');
  await idle(bed);
  for (let chat = 1; chat <= 3; chat++) bed.say({ chat, text: 'again' });
  await answers(bed, 8);
  await polledInHistory(bed, killed);
  const killedAtMs = Date.now();
  await killed.stop('SIGKILL');

  await using cut = runBot(bed, 'hooks', { env: { HOOK_STOP_MS: '10000', STOP_TIMEOUT: '3s' } });
  await cut.waitFor('poll.started');
  const outage = bed.addFault({ kind: 'refuse' });
  await cut.waitFor('poll.failed');
  bed.removeFaults(outage);
  await cut.waitFor('poll.recovered');
  expect(await cut.stop()).toMatchObject({ code: 1 });
  return { stoppedAtMs, endedAtMs, killedAtMs, first, killed, cut };
}

function expectFirst(run: Run | undefined, { first }: Played): void {
  expect(run).toMatchObject({ pid: first.child.pid, supervisor: 'none', end: { kind: 'receipt' } });
  if (run?.end.kind !== 'receipt') return;
  const { receipt } = run.end;
  expect(receipt).toMatchObject({ reason: 'SIGTERM', outcome: 'clean', exitCode: 0 });
  const { stopDurationMs, counts, phases } = first.receipt;
  expectAbout(receipt.stopMs, Number(stopDurationMs));
  expect(receipt.counts).toEqual(counts);
  const hooks = Array.isArray(phases) ? phases.map(({ hook, step, result }) => [hook, step, result]) : [];
  expect(receipt.steps.map(({ hook, step, result }) => [hook, step, result])).toEqual(hooks);
  const last = run.samples.at(-1);
  expect(last).toMatchObject({ handled: 5, failed: 0, waiting: 0, running: 0, handlers: { count: 5 } });
  expect(last?.handlers?.medianMs).toBeGreaterThan(ANSWER_MS * 0.95);
  expectAbout(last?.handlers?.medianMs, ANSWER_MS);
}

function expectKilled(
  run: Run | undefined,
  bed: TestBed,
  { killed, stoppedAtMs, endedAtMs, killedAtMs }: Played,
): void {
  expect(run).toMatchObject({
    pid: killed.child.pid,
    end: { kind: 'killed', phase: 'running', machineRestarted: false, advice: expect.any(String) },
  });
  expect(run?.end.fromMs).toBeLessThanOrEqual(killedAtMs);
  expect(run?.end.toMs).toBeGreaterThanOrEqual(killedAtMs);
  expect(run?.gap?.isAtMost).toBe(false);
  expectAbout(run?.gap?.ms, firstPollAfter(bed, endedAtMs) - stoppedAtMs);
}

function expectCut(run: Run | undefined, bed: TestBed, { cut, killedAtMs }: Played): void {
  expect(run).toMatchObject({ pid: cut.child.pid, gap: { isAtMost: true } });
  expect(run?.gap?.ms).toBeGreaterThanOrEqual(firstPollAfter(bed, killedAtMs) - killedAtMs);
  const [failed, recovered] = ['poll.failed', 'poll.recovered'].map((name) =>
    cut.lines.find(({ event }) => event === name),
  );
  const outage = run?.stretches.find(({ state }) => state === 'hindered');
  expect(outage).toMatchObject({ why: 'Telegram unreachable' });
  expectAbout(outage?.toMs, timeOf(recovered ?? {}));
  expect(outage?.fromMs).toBeLessThanOrEqual(timeOf(failed ?? {}) + 50);
  expectAbout((outage?.toMs ?? 0) - (outage?.fromMs ?? 0), Number(recovered?.['gapMs']));
  if (run?.end.kind !== 'receipt') throw new Error('there is no receipt');
  const { receipt } = run.end;
  expect(receipt).toMatchObject({ outcome: 'cut', exitCode: 1 });
  expect(receipt.steps).toContainEqual(
    expect.objectContaining({ hook: 'slow', step: 'stop', result: 'cut' }),
  );
  expect(run.stopping?.budgetMs).toBe(3_000);
  expectAbout(receipt.stopMs, Number(cut.receipt['stopDurationMs']));
}

async function expectDrawn(bed: TestBed): Promise<void> {
  using folder = new Folder();
  const [html, svg] = [folder.file('page.html'), folder.file('picture.svg')];
  const { output } = await history(bed.stateDir, `--html=${html}`, `--svg=${svg}`);
  expect(output).toBe(`${html}\n${svg}\n`);
  for (const file of [html, svg]) {
    const drawn = readFileSync(file, 'utf8');
    for (const text of [
      ' killed</text>',
      ' stop cut off</text>',
      '>cut off after ',
      ' Telegram unreachable ',
    ])
      expect(drawn).toContain(text);
    expect(drawn).not.toContain(bed.token.split(':')[1]);
  }
}

describe('lastcall history', () => {
  it('tells the truth over a stop, a kill, an outage and a hook that hangs', async () => {
    await using bed = await openSandbox();
    const played = await play(bed);
    await using present = runBot(bed, 'hooks');
    await present.waitFor('poll.started');
    await idle(bed);

    const runs = await runsIn(bed.stateDir);
    expect(runs.map(({ end }) => end.kind)).toEqual(['receipt', 'killed', 'receipt', 'running']);
    expectFirst(runs[0], played);
    expectKilled(runs[1], bed, played);
    expectCut(runs[2], bed, played);
    expect(runs[3]).toMatchObject({ pid: present.child.pid });

    const { code, output } = await history(bed.stateDir);
    expect(code).toBe(0);
    expect(output).toMatch(
      /^@\w+ \(\d+\): 4 runs since \w{3} \d\d \d\d:\d\d:\d\d\n\nBEGAN +RAN +GAP +UPDATES +END\n/,
    );
    expect(output).toMatch(/ 5 +SIGTERM, clean in \d+ ms\n/);
    expect(output).toMatch(/ killed from outside, without a stop\n {4}by kill -9, /);
    expect(output).toMatch(
      / SIGTERM, not clean: .*slow cut off after .*, exit 1\n {4}Telegram unreachable (?:for|\d+ times)/,
    );
    expect(output).toMatch(/ still running\n$/);
    expect(output).not.toContain(bed.token.split(':')[1]);
    for (const command of readmeCommands())
      expect(await history(bed.stateDir, ...command)).toMatchObject({ code: 0 });
    expect((await history(bed.stateDir, '--last=2')).output).not.toContain('killed');
    expect((await runsIn(bed.stateDir, '--last=2')).map(({ pid }) => pid)).toEqual(
      [played.cut, present].map(({ child }) => child.pid),
    );
    await expectDrawn(bed);

    const restarts = JSON.parse((await status(bed.stateDir, '--json')).output).bots[0].restartsToday;
    const midnightMs = new Date().setHours(0, 0, 0, 0);
    expect(restarts).toBe(runs.filter(({ beganMs }, index) => index > 0 && beganMs >= midnightMs).length);
    const folder = botFolder(bed.stateDir);
    expect(statSync(join(folder, 'history.jsonl')).mode & 0o777).toBe(0o600);

    // Where nobody has started it again, the files tell how it ended.
    await present.stop('SIGKILL');
    expect((await history(bed.stateDir)).output).toMatch(/ killed from outside, without a stop\n/);
  });

  it('leaves a bot alone whose history cannot be written, and says so once', async () => {
    await using bed = await openSandbox();
    await using first = runBot(bed, 'echo');
    await first.waitFor('poll.started');
    expect(await first.stop()).toMatchObject({ code: 0 });
    const folder = botFolder(bed.stateDir);
    rmSync(join(folder, 'history.jsonl'));
    mkdirSync(join(folder, 'history.jsonl'));
    await using second = runBot(bed, 'echo');
    expect(await second.waitFor('history.failed')).toMatchObject({ level: 'info' });
    await idle(bed);
    bed.say('hello');
    await answers(bed, 1);
    expect(await second.stop()).toMatchObject({ code: 0 });
    expect(second.events().filter((event) => event === 'history.failed')).toHaveLength(1);
    const { code, output } = await history(bed.stateDir);
    expect(code).toBe(1);
    expect(output).toContain('There is no history in');
  });

  it('names a start that failed before its bot was known, once for a restart loop', async () => {
    await using bed = await openSandbox();
    const { token: BOT_TOKEN, stateDir: STATE_DIR } = bed;
    using folder = new Folder();
    for (const wrong of [{}, {}, {}, { LASTCALL_CONCURRENCY: 'many' }]) {
      const env = { BOT_TOKEN, STATE_DIR, ...wrong };
      await using daemon = spawnDaemon({ args: ['run', 'missing.js'], cwd: folder.path, env });
      expect(await daemon.end()).toMatchObject({ code: 78 });
    }
    const file = join(bed.stateDir, 'failed-starts.jsonl');
    expect(statSync(file).mode & 0o777).toBe(0o600);

    // Without a bot, and with the first one.
    const told =
      /could not start: .*missing\.js.*, exit 78\n.* {4}3 times, from .*\n.* could not start: LASTCALL_CONCURRENCY is "many"/s;
    expect(await history(bed.stateDir)).toMatchObject({ code: 0, output: expect.stringMatching(told) });
    expect((await status(bed.stateDir)).output).toContain('A start has failed');
    await using first = runBot(bed, 'echo');
    await first.waitFor('poll.started');
    expect(await first.stop()).toMatchObject({ code: 0 });
    const { output } = await history(bed.stateDir);
    expect(output).toMatch(new RegExp(`: 1 run since .*${told.source}.* SIGTERM, clean`, 's'));
    expect((await history(bed.stateDir, '--last=1')).output).not.toContain('could not start');
    const [bot] = JSON.parse((await history(bed.stateDir, '--json')).output).bots;
    expect(bot.failedStarts).toMatchObject([
      { times: 3, code: 'BOT_MODULE_NOT_FOUND', exitCode: 78, file: folder.file('missing.js') },
      { times: 1, code: 'CONFIG_INVALID', culprit: 'CONCURRENCY', supervisor: 'none' },
    ]);
  });
});
