/** What the built program serves at the address of METRICS, beside its figures, which `observed.test.ts` holds to the truth. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { mainFile } from '../support/daemon.js';
import { answers, openSandbox, runBot } from '../support/delivery.js';
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
import { stateOf } from '../support/observed/metrics-observer.js';
import { PostgresServer } from '../support/postgres.js';
import { manifest } from '../support/readme-container.js';
import { idle } from '../support/stopping.js';

jest.setTimeout(60_000);

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

describe('METRICS', () => {
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
    await using daemon = runBot(bed, 'echo', { env: { METRICS: '127.0.0.1:0' } });
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
