/** The README's section on containers, line by line: in namespaces, with the bot as PID 1 where the section has it there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { fileSystemOf } from '../../src/file-system.js';
import { Container, type ContainerOptions, describeInContainers } from '../support/container.js';
import { allAnswered, mishaps, noMishaps, openSandbox, type TestBed } from '../support/delivery.js';
import { repository } from '../support/folder.js';
import { dockerfile, dockerRun, pm2Command } from '../support/readme-container.js';

jest.setTimeout(30_000);

/** A folder on the machine's disk, as volumes are; /tmp may be in memory. */
let volume: string;
beforeEach(() => {
  volume = mkdtempSync(join(repository, 'node_modules', '.volume-'));
});
afterEach(() => rmSync(volume, { recursive: true, force: true }));

const image = ['ln -s node_modules/lastcall/test/fixtures/bots/leaves-orphans.js bot.js', ...dockerfile.runs];

/** A container as the section has it, on the sandbox. */
function run({ token, apiRoot }: TestBed, options: Partial<ContainerOptions> = {}): Container {
  return new Container({
    command: dockerfile.command,
    build: image,
    user: 'node',
    ...options,
    env: { ...dockerfile.env, BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, ...options.env },
  });
}

const warningsOf = ({ daemon }: Container) =>
  daemon.lines.filter(({ event }) => event === 'config.warning').map(({ msg }) => msg);

describeInContainers('the image of the README', () => {
  it('runs behind an init, keeps its updates on the volume, and has its health asked', async () => {
    await using sandbox = await openSandbox();
    await using container = run(sandbox, {
      init: dockerRun.init,
      volume: { from: volume, at: dockerRun.volumeAt },
    });
    const { daemon } = container;
    expect(await daemon.waitFor('lifecycle.budget')).toMatchObject({ level: 'info', budgetMs: 90_000 });
    const isLasting = fileSystemOf(volume) === 'other';
    if (isLasting) expect(await daemon.waitFor('inbox.opened')).toMatchObject({ survives: 'power' });
    await daemon.waitFor('poll.started');
    if (isLasting) expect(warningsOf(container)).toEqual([]);

    expect(await container.exec(...dockerfile.healthcheck)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^alive: progress .* ago\n$/),
    });
    expect(await container.execLater(61, ...dockerfile.healthcheck)).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^stalled: no progress for 1 min/),
    });

    await sandbox.ask('hello');
    const collected = 'sleep 0.2; while grep -qs "^State:.Z" /proc/[0-9]*/status; do sleep 0.05; done';
    expect(await container.exec('timeout', '5', 'sh', '-c', collected)).toMatchObject({ code: 0 });
    expect(await container.stop()).toMatchObject({ code: 0, signal: null });
    expect(daemon.receipt).toMatchObject({ reason: 'SIGTERM', outcome: 'clean', exitCode: 0 });
  });

  it('runs as PID 1, whose children and what they leave behind do not confuse it', async () => {
    await using sandbox = await openSandbox();
    await using container = run(sandbox, {
      volume: { from: volume, at: dockerRun.volumeAt },
      env: { HANDLER_MS: '300' },
    });
    await sandbox.ask('hello');
    sandbox.say('one more');
    await container.daemon.waitFor(({ event }) => event === 'poll.answered' || event === 'poll.started');
    expect(await container.stop()).toMatchObject({ code: 0, signal: null });
    expect(container.daemon.receipt).toMatchObject({ pid: 1, reason: 'SIGTERM', outcome: 'clean' });
  });

  it('loses nothing at a redeploy without a volume', async () => {
    await using sandbox = await openSandbox();
    for (const chat of [1, 2, 3]) for (let n = 0; n < 10; n++) sandbox.say({ chat, text: `${n}` });
    const env = { HANDLER_MS: '40' };
    {
      await using container = run(sandbox, { env });
      await sandbox.waitFor(() => sandbox.callCount('sendMessage') >= 3);
      expect(await container.stop()).toMatchObject({ code: 0 });
      expect(warningsOf(container)).toEqual([
        expect.stringMatching(/^\/state \(STATE_DIR\) is on the container's own layer .*INBOX=memory/),
      ]);
      expect(sandbox.unanswered).toBeGreaterThan(0);
    }
    await using next = run(sandbox, { env });
    await allAnswered(sandbox);
    await next.stop();
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  it('with a read-only root says what cannot be written, and what to do', async () => {
    await using sandbox = await openSandbox();
    await using container = run(sandbox, { readOnly: true, env: { INBOX: 'journal' } });
    expect(await container.daemon.end()).toMatchObject({ code: 78 });
    expect(warningsOf(container)).toContainEqual(
      expect.stringMatching(/^the heartbeat \/tmp\/.* cannot be written, .*EROFS.*mount a tmpfs at \/tmp/),
    );
    expect(container.daemon.receipt).toMatchObject({
      err: {
        code: 'INBOX_UNAVAILABLE',
        message: expect.stringContaining('EROFS: read-only file system'),
        nextStep: expect.stringMatching(/STATE_DIR.*volume/),
      },
    });
  });

  it('with a read-only root and a volume runs', async () => {
    await using sandbox = await openSandbox();
    await using container = run(sandbox, {
      readOnly: true,
      volume: { from: volume, at: dockerRun.volumeAt },
    });
    await sandbox.ask('hello');
    // What was warned of.
    expect(await container.exec(...dockerfile.healthcheck)).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^no sign of life: .* \/tmp\//),
    });
    expect(await container.stop()).toMatchObject({ code: 0 });
  });

  it('runs under pm2, which is PID 1, and lets handlers end', async () => {
    await using sandbox = await openSandbox();
    await using container = run(sandbox, {
      command: pm2Command,
      build: [...image, 'cp node_modules/lastcall/ecosystem.config.js ecosystem.config.mjs'],
      volume: { from: volume, at: dockerRun.volumeAt },
      env: { BOT_MODULE: 'bot.js', HANDLER_MS: '2000' },
    });
    const { daemon } = container;
    expect(await daemon.waitFor('lifecycle.budget')).toMatchObject({ budgetMs: 90_000 });
    await daemon.waitFor('poll.started');
    expect(await container.exec(...dockerfile.healthcheck)).toMatchObject({ code: 0 });
    const calls = sandbox.callCount('getUpdates');
    sandbox.say('hello');
    await sandbox.waitFor(() => sandbox.callCount('getUpdates') > calls);
    expect(await container.stop()).toMatchObject({ code: 0 });
    const receipt = daemon.lines.find(({ event }) => event === 'lifecycle.stopped');
    expect(receipt).toMatchObject({ outcome: 'clean', counts: { handled: 1 } });
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  it('may be a program that embeds lastcall', async () => {
    await using sandbox = await openSandbox();
    await using container = run(sandbox, {
      command: ['node', 'node_modules/lastcall/test/fixtures/embedding/supervised.mjs'],
    });
    expect(await container.daemon.waitFor('lifecycle.budget')).toMatchObject({ budgetMs: 9_600 });
    await sandbox.ask('hello');
    expect(warningsOf(container)).toEqual([expect.stringMatching(/container's own layer.*INBOX=memory/)]);
    expect(await container.exec(...dockerfile.healthcheck)).toMatchObject({ code: 0 });
    expect(await container.stop()).toMatchObject({ code: 0 });
    expect(container.daemon.events()).not.toContain('inbox.opened');
  });
});
