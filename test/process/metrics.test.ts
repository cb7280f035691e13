/** What the built program serves at the address of METRICS: each figure against what the sandbox knows. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { type Daemon, mainFile } from '../support/daemon.js';
import { answers, openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { Folder, repository } from '../support/folder.js';
import {
  addressOf,
  freePort,
  get,
  noPromtool,
  promtool,
  promtoolFile,
  type Samples,
  samplesWhen,
} from '../support/metrics.js';
import { PostgresServer } from '../support/postgres.js';
import { slowAnswers } from '../support/programs.js';
import { manifest } from '../support/readme-container.js';
import { botFolder } from '../support/status.js';
import { idle } from '../support/stopping.js';

jest.setTimeout(60_000);

/** What a busy machine may add to a time. */
const TOLERANCE_S = 1.5;
const HANDLED = 20;
const ANSWER_MS = 200;

const run = (bed: TestBed, metrics = '127.0.0.1:0'): Daemon =>
  runBot(bed, 'moody', { ipc: true, env: { METRICS: metrics, LOG_LEVEL: 'debug', STOP_TIMEOUT: '5s' } });

const expectAbout = (actual: number | undefined, seconds: number): void =>
  expect(Math.abs((actual ?? Number.NaN) - seconds)).toBeLessThan(TOLERANCE_S);

const readme = readFileSync(join(repository, 'README.md'), 'utf8');
const [, section = ''] = readme.split('\n## Metrics and health\n');
const [, shell = ''] = /^```sh\n([\s\S]*?)^```$/m.exec(section) ?? [];
/** The commands of the section, without their comments. */
const readmeCommands = shell
  .trim()
  .split('\n')
  .map((line) => line.replace(/ +# .*$/, ''));

/** The block between `<!-- name -->` and `<!-- /name -->`. */
const readmeBlock = (name: string): string =>
  new RegExp(`<!-- ${name} -->\n\`\`\`\\w+\n([\\s\\S]*?)\`\`\`\n`).exec(readme)?.[1] ?? '';

interface Scene {
  readonly bed: TestBed;
  readonly daemon: Daemon;
  readonly address: string;
  /** When the handler began that does not end. */
  readonly slowSince: number;
}

/** One handler runs on and two updates wait behind it; two have failed; twenty are answered. */
async function fill(bed: TestBed, daemon: Daemon): Promise<Scene> {
  const address = await addressOf(daemon);
  await idle(bed);
  slowAnswers(bed, ANSWER_MS);
  const slowSince = Date.now();
  for (const text of ['slow', 'first behind', 'second behind']) bed.say({ chat: 1, text });
  for (const chat of [2, 3]) bed.say({ chat, text: `fail ${chat}` });
  for (let n = 0; n < HANDLED; n++) bed.say({ chat: 100 + n, text: 'well' });
  await answers(bed, HANDLED);
  return { bed, daemon, address, slowSince };
}

/** What is done with, and what is not, is what has come. */
function expectBalance(samples: Samples): void {
  const come =
    samples.sum('lastcall_updates_fetched_total') + samples.sum('lastcall_updates_recovered_total');
  const left = samples.sum('lastcall_updates_waiting') + samples.sum('lastcall_handlers_running');
  expect(samples.sum('lastcall_updates_total') + left).toBe(come);
}

const isSettled = (samples: Samples): boolean =>
  samples.of('lastcall_updates_total', { result: 'handled' }) === HANDLED &&
  samples.of('lastcall_updates_total', { result: 'failed' }) === 2 &&
  samples.of('lastcall_confirm_lag_seconds') === 0;

const stateOf = (samples: Samples, state: string): boolean =>
  samples.of('lastcall_bot_state', { state }) === 1;

/** The size of what is written in the log files below a folder, which end with zeros that are room in advance. */
function writtenBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.log'))
    .reduce((sum, file) => sum + 1 + readFileSync(join(folder, file)).findLastIndex((byte) => byte !== 0), 0);
}

async function expectTruthUnderLoad({ bed, address, slowSince }: Scene): Promise<void> {
  const samples = await samplesWhen(address, isSettled);
  expect(samples.values('lastcall_bot_state', 'bot')[0]).toBe(bed.token.split(':')[0]);
  expect(stateOf(samples, 'polling')).toBe(true);
  expect(samples.of('lastcall_phase', { phase: 'running' })).toBe(1);
  expect(samples.of('lastcall_updates_fetched_total')).toBe(bed.exchanges().length);
  expect(samples.of('lastcall_updates_waiting')).toBe(2);
  expect(samples.of('lastcall_handlers_running')).toBe(1);
  expect(samples.of('lastcall_dead_letters_kept')).toBe(2);
  expect(samples.of('lastcall_dead_letters_total', { reason: 'failed' })).toBe(2);
  expectBalance(samples);
  expectAbout(samples.of('lastcall_oldest_update_age_seconds'), (Date.now() - slowSince) / 1_000);

  const times = 'lastcall_handler_duration_seconds';
  expect(samples.of(`${times}_count`, { kind: 'message' })).toBe(HANDLED + 2);
  const seconds = samples.of(`${times}_sum`, { kind: 'message' }) ?? 0;
  expect(seconds).toBeGreaterThan((HANDLED * ANSWER_MS * 0.95) / 1_000);
  // Only those that failed have not waited for their answer.
  expect(samples.of(`${times}_bucket`, { le: '0.1' })).toBeLessThanOrEqual(2);

  expect(samples.sum('lastcall_poll_failures_total')).toBe(0);
  const polls = bed.calls({ method: 'getUpdates' }).filter(({ answered }) => answered);
  expect(samples.of('lastcall_poll_duration_seconds_count')).toBe(polls.length);
  const lastAnswer = samples.of('lastcall_last_poll_timestamp_seconds') ?? 0;
  expectAbout(lastAnswer, Date.now() / 1_000);
  const folder = join(botFolder(bed.stateDir), 'inbox');
  // Marks are written a moment later, and what is written may end with a zero itself.
  await samplesWhen(
    address,
    (seen) => Math.abs((seen.of('lastcall_inbox_bytes') ?? 0) - writtenBytes(folder)) < 8,
  );
  expect(samples.of('lastcall_inbox_sync_duration_seconds_count')).toBeGreaterThan(0);
  expect(samples.of('lastcall_stop_budget_seconds')).toBe(5);
  expect(await get(address, '/readyz')).toMatchObject({ status: 200 });
  expect(await get(address, '/livez')).toMatchObject({ status: 200, body: 'alive\n' });
}

/** Nothing of a message and nothing of the token is in it. */
async function expectDiscretion({ bed, address }: Scene): Promise<void> {
  for (const path of ['/metrics', '/readyz', '/livez', '/else']) {
    const { body } = await get(address, path);
    for (const secret of ['behind the', 'first behind', bed.token.split(':')[1] ?? ''])
      expect(body).not.toContain(secret);
  }
}

async function expectTruthBesideAnother({ bed, address }: Scene): Promise<void> {
  await using second = run(bed);
  await second.waitFor('lock.waiting');
  const own = await addressOf(second);
  const samples = await samplesWhen(own, (seen) => stateOf(seen, 'standing-by'));
  expect(samples.sum('lastcall_updates_total')).toBe(0);
  expect(await get(own, '/readyz')).toMatchObject({
    status: 200,
    body: expect.stringMatching(/^ready: .*standing-by/),
  });
  expect(stateOf(await samplesWhen(address, isSettled), 'polling')).toBe(true);
  expect(await second.stop()).toMatchObject({ code: 0 });
}

async function expectTruthOfJam({ daemon, address, slowSince }: Scene): Promise<void> {
  await daemon.waitFor('dispatch.jammed');
  const samples = await samplesWhen(address, (seen) => seen.of('lastcall_jammed_chats') === 1);
  expectAbout(samples.of('lastcall_oldest_update_age_seconds'), (Date.now() - slowSince) / 1_000);
}

async function expectTruthInOutage({ bed, daemon, address }: Scene): Promise<void> {
  const outage = bed.addFault({ kind: 'error', status: 502 });
  await daemon.waitFor('dispatch.held');
  const samples = await samplesWhen(
    address,
    (seen) =>
      stateOf(seen, 'hindered') &&
      (seen.of('lastcall_poll_failures_total', { class: 'unreachable' }) ?? 0) > 1,
  );
  expect(samples.of('lastcall_dispatch_held')).toBe(1);
  expect(samples.sum('lastcall_poll_failures_total')).toBe(
    samples.of('lastcall_poll_failures_total', { class: 'unreachable' }),
  );
  // A handler is at work still.
  expect(await get(address, '/readyz')).toMatchObject({
    body: expect.stringContaining('Telegram unreachable, 1 running'),
  });
  expect(await get(address, '/livez')).toMatchObject({ status: 200 });
  bed.removeFaults(outage);
  await daemon.waitFor('poll.recovered');
  const after = await samplesWhen(address, (seen) => stateOf(seen, 'polling'));
  expect(after.of('lastcall_dispatch_held')).toBe(0);
  const failed = bed.calls({ method: 'getUpdates' }).filter(({ fault }) => fault === 'error');
  expect(after.sum('lastcall_poll_failures_total')).toBe(failed.length);
}

/** It is served to the very end, and a connection that stays open holds up nothing. */
async function expectTruthInDrain({ bed, daemon, address }: Scene): Promise<void> {
  const [host, port] = address.split(':');
  const idler = connect(Number(port), host);
  await once(idler, 'connect');
  daemon.kill('SIGTERM');
  await daemon.waitFor('drain.started');
  const samples = await samplesWhen(
    address,
    (seen) => (seen.of('lastcall_stop_duration_seconds') ?? 0) > 0.05,
  );
  expect(samples.of('lastcall_phase', { phase: 'stopping' })).toBe(1);
  expect(samples.of('lastcall_handlers_running')).toBe(1);
  expect(samples.of('lastcall_updates_waiting')).toBe(2);
  expectBalance(samples);
  expect(await get(address, '/readyz')).toMatchObject({ status: 503, body: 'not ready: stopping\n' });
  expect(await get(address, '/livez')).toMatchObject({ status: 200 });
  const ended = once(idler, 'close');
  daemon.child.send('go on');
  expect(await daemon.end()).toMatchObject({ code: 0 });
  await ended;
  expect(daemon.receipt).toMatchObject({ outcome: 'clean' });
  await expect(get(address, '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(bed.state().queued).toBe(0);
}

/** The next run handles what waits, tells of the stop before, and is killed; the one after it tells of that. */
async function expectTruthOverRestarts({ bed, daemon }: Scene): Promise<void> {
  await using killed = run(bed);
  await answers(bed, HANDLED + 3);
  const address = await addressOf(killed);
  const samples = await samplesWhen(
    address,
    (seen) => seen.of('lastcall_updates_total', { result: 'handled' }) === 2,
  );
  expect(samples.of('lastcall_updates_recovered_total')).toBe(2);
  expect(samples.of('lastcall_dead_letters_kept')).toBe(2);
  expect(samples.sum('lastcall_dead_letters_total')).toBe(0);
  expect(samples.of('lastcall_previous_run_killed')).toBe(0);
  const stopMs = Number(daemon.receipt['stopDurationMs']);
  expect(
    Math.abs((samples.of('lastcall_previous_stop_duration_seconds') ?? 0) - stopMs / 1_000),
  ).toBeLessThan(0.5);
  expectBalance(samples);
  await killed.stop('SIGKILL');

  await using next = run(bed);
  const after = await samplesWhen(await addressOf(next), (seen) => stateOf(seen, 'polling'));
  expect(after.of('lastcall_previous_run_killed')).toBe(1);
  expect(after.of('lastcall_previous_stop_duration_seconds')).toBeUndefined();
  expect(await next.stop()).toMatchObject({ code: 0 });
}

describe('METRICS', () => {
  it('tells the truth under load, beside another, of a jam, in an outage, in the drain, and over restarts', async () => {
    await using bed = await openSandbox();
    await using daemon = run(bed);
    const scene = await fill(bed, daemon);
    await expectTruthUnderLoad(scene);
    await expectDiscretion(scene);
    await expectTruthBesideAnother(scene);
    await expectTruthOfJam(scene);
    await expectTruthInOutage(scene);
    await expectTruthInDrain(scene);
    await expectTruthOverRestarts(scene);
  });

  it('is taken over by the process that takes over the bot, which runs meanwhile', async () => {
    await using bed = await openSandbox();
    const metrics = `127.0.0.1:${await freePort()}`;
    await using first = runBot(bed, 'echo', { env: { METRICS: metrics } });
    await first.waitFor('poll.started');
    await using second = runBot(bed, 'echo', { env: { METRICS: metrics } });
    expect(await second.waitFor('metrics.unavailable')).toMatchObject({ level: 'warn', address: metrics });
    await second.waitFor('lock.waiting');
    expect(await first.stop()).toMatchObject({ code: 0 });
    await second.waitFor('poll.started');
    expect(await second.waitFor('metrics.listening')).toMatchObject({ level: 'info', address: metrics });
    expect(await get(metrics, '/readyz')).toMatchObject({ status: 200 });
    expect(second.events().filter((event) => event === 'metrics.unavailable')).toHaveLength(1);
    expect(await second.stop()).toMatchObject({ code: 0 });
  });

  it('tells of each of several hosts what it does, and of the database what it has been told', async () => {
    const server = await PostgresServer.start();
    try {
      await using bed = await openSandbox();
      const env = {
        INBOX: await server.createDatabase(),
        METRICS: '127.0.0.1:0',
        CONCURRENCY: '4',
        HANDLER_MS: '300',
      };
      await using polls = runBot(bed, 'echo', { env });
      await polls.waitFor('poll.started');
      await using handles = runBot(bed, 'echo', { env });
      await handles.waitFor('inbox.standing-by');
      const addresses = await Promise.all([polls, handles].map(addressOf));
      for (let chat = 1; chat <= 40; chat++) bed.say({ chat, text: `hello ${chat}` });
      const isBusy = (seen: Samples) => (seen.of('lastcall_handlers_running') ?? 0) > 0;
      const [busy] = await Promise.all(addresses.map((address) => samplesWhen(address, isBusy)));
      expect(busy?.values('lastcall_oldest_update_age_seconds', 'bot')).toEqual([]);
      expect(busy?.values('lastcall_inbox_bytes', 'bot')).toEqual([]);
      expect(busy?.values('lastcall_previous_run_killed', 'bot')).toEqual([]);
      expect(busy?.of('lastcall_info', { inbox: 'postgres' })).toBe(1);
      await answers(bed, 40);
      const all = await Promise.all(
        addresses.map((address) => samplesWhen(address, (seen) => !isBusy(seen))),
      );
      expect(all.map((seen) => stateOf(seen, 'polling'))).toEqual([true, false]);
      expect(all.map((seen) => stateOf(seen, 'standing-by'))).toEqual([false, true]);
      const handled = all.map((seen) => seen.of('lastcall_updates_total', { result: 'handled' }) ?? 0);
      expect(Math.min(...handled)).toBeGreaterThan(0);
      expect(handled.reduce((sum, one) => sum + one)).toBe(40);
      for (const address of addresses) expect(await get(address, '/readyz')).toMatchObject({ status: 200 });
    } finally {
      await server.stop();
    }
  });

  it('is served, listed and drawn by the commands of the README', async () => {
    await using bed = await openSandbox();
    await using daemon = run(bed);
    const address = await addressOf(daemon);
    await idle(bed);
    using folder = new Folder();
    writeFileSync(folder.file('prometheus.yml'), readmeBlock('metrics-scrape'));
    const ours = `'${process.execPath}' '${mainFile}'`;
    const ran: string[] = [];
    for (const command of readmeCommands) {
      const [program = ''] = command.split(' ');
      // The daemon above stands for the run, and the package is installed here.
      if (/ run bot\.js$|^npm install prom-client$/.test(command)) continue;
      if (program === 'promtool' && noPromtool !== undefined) continue;
      const line = command
        .replace(/^promtool/, promtoolFile)
        .replaceAll('npx lastcall', ours)
        .replaceAll('127.0.0.1:9464', address);
      const output = execFileSync('sh', ['-c', line], { cwd: folder.path, encoding: 'utf8' });
      const file = / > (\S+)$/.exec(command)?.[1];
      expect(file === undefined ? output : readFileSync(folder.file(file), 'utf8')).not.toBe('');
      ran.push(program);
    }
    expect(ran.filter((program) => program !== 'promtool')).toEqual([
      ...['curl', 'curl', 'curl', 'npx', 'npx', 'npx'],
    ]);
    expect(readFileSync(folder.file('lastcall.rules.yml'), 'utf8')).toBe(readmeBlock('metrics-rules'));
    if (noPromtool === undefined)
      expect(promtool(['check', 'config', folder.file('prometheus.yml')])).toContain('SUCCESS');
    expect(readmeBlock('metrics-probes')).toContain(
      `{ name: LASTCALL_GRACE, value: ${manifest.lastcallGrace} }`,
    );
    expect(readmeBlock('metrics-probes').match(/path: (\/\w+)/g)).toEqual(['path: /livez', 'path: /readyz']);
  });

  it('warns where others can reach it, and ends the start where it is no address', async () => {
    await using bed = await openSandbox();
    await using exposed = runBot(bed, 'echo', { env: { METRICS: '0.0.0.0:0' } });
    const line = await exposed.waitFor('metrics.listening');
    expect(line).toMatchObject({ level: 'warn', exposed: true });
    const address = `${line['address']}`.replace('0.0.0.0', '127.0.0.1');
    expect(await get(address, '/livez', { headers: { host: 'bots.example' } })).toMatchObject({
      status: 200,
    });

    await using wrong = runBot(bed, 'echo', { env: { METRICS: 'nowhere:9464' } });
    expect(await wrong.end()).toMatchObject({ code: 78 });
    expect(wrong.output).toContain('METRICS');
    expect(wrong.output).toContain('127.0.0.1:9464');
  });
});
