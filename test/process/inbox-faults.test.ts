/** What becomes of a bot whose inbox cannot be used, or not any more: it says so, and nothing is lost. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { botKey } from '../../src/host/bot-key.js';
import { identityOfToken } from '../../src/telegraf/identity.js';
import { type Daemon, fixture } from '../support/daemon.js';
import {
  allAnswered,
  answers,
  countsOf,
  mishaps,
  noMishaps,
  openSandbox,
  runBot,
  type TestBed,
} from '../support/delivery.js';
import { Folder } from '../support/folder.js';
import { idle, told } from '../support/stopping.js';
import { newToken } from '../support/token.js';

jest.setTimeout(60_000);

const inboxOf = ({ stateDir, token, apiRoot }: TestBed): string =>
  join(stateDir, botKey(identityOfToken(token, apiRoot)), 'inbox');

/** Leaves so many more updates in the inbox, each in a chat of its own. */
async function leaveInInbox(sandbox: TestBed, updates: number): Promise<void> {
  const { said } = sandbox.report();
  for (let chat = said + 1; chat <= said + updates; chat++) sandbox.say({ chat, text: `left ${chat}` });
  await using daemon = runBot(sandbox, 'deaf', { env: { STOP_TIMEOUT: '400ms' } });
  await idle(sandbox);
  await daemon.stop();
  expect(countsOf(daemon.receipt)).toMatchObject({ left: said + updates });
}

/** The first segment of the log that holds anything. */
function segmentIn(inbox: string): string {
  const [name = ''] = readdirSync(join(inbox, 'log'));
  return join(inbox, 'log', name);
}

async function endsWith78(daemon: Daemon, code: string): Promise<void> {
  expect(await daemon.end()).toMatchObject({ code: 78, signal: null });
  expect(daemon.receipt).toMatchObject({
    exitCode: 78,
    err: { code, likelyCause: expect.any(String), nextStep: expect.any(String) },
  });
}

describe('an inbox', () => {
  it('is for its owner only, and says where it is', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'echo');
    await sandbox.ask('hello');
    const inbox = inboxOf(sandbox);
    expect(await daemon.waitFor('inbox.opened')).toMatchObject({ path: inbox, survives: 'power' });
    const entries = readdirSync(inbox, { recursive: true, withFileTypes: true });
    expect(entries.length).toBeGreaterThan(2);
    for (const entry of entries) {
      const { mode } = statSync(join(entry.parentPath, entry.name));
      expect([entry.name, mode & 0o77]).toEqual([entry.name, 0]);
      if (entry.isFile())
        expect(readFileSync(join(entry.parentPath, entry.name), 'latin1')).not.toContain(sandbox.token);
    }
    await daemon.stop();
  });

  it('that has no place ends the start with 78, and both cures are named', async () => {
    await using sandbox = await openSandbox();
    using folder = new Folder({ 'no-folder': '' });
    await using daemon = runBot(sandbox, 'echo', { env: { STATE_DIR: folder.file('no-folder') } });
    await endsWith78(daemon, 'INBOX_UNAVAILABLE');
    expect(daemon.output).toMatch(/set STATE_DIR to .*; or set INBOX=memory/);
    expect(sandbox.state().polls).toBe(0);
  });

  it('of another bot is left alone', async () => {
    await using sandbox = await openSandbox();
    await leaveInInbox(sandbox, 2);
    const other = sandbox.bot(newToken());
    const otherInbox = join(sandbox.stateDir, botKey(identityOfToken(other.token, sandbox.apiRoot)), 'inbox');
    mkdirSync(join(otherInbox, '..'), { recursive: true });
    renameSync(inboxOf(sandbox), otherInbox);
    await using daemon = runBot(sandbox, 'echo', { bot: other });
    await endsWith78(daemon, 'INBOX_FOREIGN');

    renameSync(otherInbox, inboxOf(sandbox));
    await using owner = runBot(sandbox, 'echo');
    await allAnswered(sandbox);
    await owner.stop();
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  it('of a newer version is left alone', async () => {
    await using sandbox = await openSandbox();
    const log = join(inboxOf(sandbox), 'log');
    mkdirSync(log, { recursive: true });
    const segment = join(log, '0000000000000000.log');
    execFileSync(process.execPath, [fixture('drivers', 'other-format.mjs'), segment]);
    const before = readFileSync(segment);
    await using daemon = runBot(sandbox, 'echo');
    await endsWith78(daemon, 'INBOX_NEWER');
    expect(readdirSync(log)).toEqual(['0000000000000000.log']);
    expect(readFileSync(segment)).toEqual(before);
  });

  it('that was damaged is set aside, loudly, and what can be read of it is handled', async () => {
    await using sandbox = await openSandbox();
    await leaveInInbox(sandbox, 1);
    await leaveInInbox(sandbox, 1);
    const inbox = inboxOf(sandbox);
    const segment = segmentIn(inbox);
    const bytes = readFileSync(segment);
    const at = bytes.indexOf('"left 1"');
    bytes[at + 1] = 0;
    writeFileSync(segment, bytes);

    await using daemon = runBot(sandbox, 'echo');
    const line = await daemon.waitFor('inbox.damaged');
    expect(line).toMatchObject({ level: 'error', bytes: expect.any(Number), saved: 1 });
    await idle(sandbox);
    await answers(sandbox, 1);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    const aside = String(line['path']);
    expect(aside).toMatch(/\/log\.damaged-\d{8}T\d{6}Z$/);
    expect(readFileSync(join(aside, segment.slice(segment.lastIndexOf('/') + 1)))).toEqual(bytes);
  });

  it('whose last record was torn off is whole', async () => {
    await using sandbox = await openSandbox();
    await leaveInInbox(sandbox, 3);
    const segment = segmentIn(inboxOf(sandbox));
    // The last thing written is that the stop has cut all three. Before that it was written that the stop had begun.
    truncateSync(segment, statSync(segment).size - 3);
    await using daemon = runBot(sandbox, 'echo');
    expect(await daemon.waitFor('inbox.recovered')).toMatchObject({ updates: 3, begun: 3, died: 0 });
    await allAnswered(sandbox);
    await daemon.stop();
    expect(told(daemon, 'inbox.damaged')).toEqual([]);
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  it('that is full makes Telegram wait, says so, and goes on', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'held', { ipc: true, env: { INBOX_LIMIT: '150' } });
    await idle(sandbox);
    sandbox.say({ chat: 1, text: 'slow' });
    sandbox.say({ chat: 1, text: 'quick {n}', count: 399 });
    expect(await daemon.waitFor('inbox.paused')).toMatchObject({
      level: 'warn',
      because: 'updates',
      waiting: expect.any(Number),
    });
    // Two batches at the most have gone past the limit's last look.
    expect(sandbox.state().queued).toBeGreaterThanOrEqual(150);
    daemon.child.send('go on');
    await allAnswered(sandbox);
    expect(told(daemon, 'inbox.resumed').length).toBeGreaterThan(0);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });
});

describe('a state folder that goes while the bot runs', () => {
  const CHATS = 10;
  /** Leaves a bot with updates that wait, and one in each chat that is at work. */
  async function atWork(sandbox: TestBed): Promise<Daemon> {
    sandbox.addFault({ kind: 'latency', ms: 60_000, method: 'sendMessage' });
    const daemon = runBot(sandbox, 'echo', { env: { STOP_TIMEOUT: '500ms' } });
    await daemon.waitFor('poll.started');
    for (let chat = 1; chat <= CHATS; chat++) sandbox.say({ chat, text: `m ${chat} {n}`, count: 2 });
    await sandbox.waitFor(() => sandbox.state().queued === 0 && sandbox.callCount('sendMessage') === CHATS);
    return daemon;
  }

  it.each<[string, (sandbox: TestBed, old: string) => void]>([
    ['moved', ({ stateDir }, old) => renameSync(stateDir, old)],
    [
      'deleted',
      ({ stateDir }, old) => {
        // The bot may write at any moment into a folder that is still in its place, which could not be removed then.
        renameSync(stateDir, old);
        rmSync(old, { recursive: true });
      },
    ],
    [
      'replaced by an old copy',
      (sandbox, old) => {
        const { stateDir } = sandbox;
        renameSync(stateDir, old);
        cpSync(old, stateDir, { recursive: true, filter: (name) => !name.endsWith('.sock') });
        const heartbeat = join(inboxOf(sandbox), 'owner.json');
        const { beats, ...rest } = JSON.parse(readFileSync(heartbeat, 'utf8'));
        writeFileSync(heartbeat, JSON.stringify({ ...rest, beats: beats - 1 }));
      },
    ],
    [
      'replaced by a copy made just now',
      ({ stateDir }, old) => {
        renameSync(stateDir, old);
        cpSync(old, stateDir, { recursive: true, filter: (name) => !name.endsWith('.sock') });
      },
    ],
  ])(
    '%s: ends with 70, says so, and counts what is gone; the next run loses no more',
    async (what, change) => {
      await using sandbox = await openSandbox();
      using aside = new Folder();
      const old = aside.file('old');
      {
        await using daemon = await atWork(sandbox);
        change(sandbox, old);
        sandbox.say({ chat: 11, text: 'one more' });
        expect(await daemon.end()).toMatchObject({ code: 70 });
        expect(daemon.receipt).toMatchObject({
          exitCode: 70,
          err: {
            code: 'INBOX_REMOVED',
            message: expect.stringMatching(
              /deleted, moved or replaced\? It held 21 updates that were not done with, 1[01] of them at work, and 0 dead letters$/,
            ),
            nextStep: expect.stringContaining('STATE_DIR'),
          },
        });
        expect(daemon.output).not.toContain('another process');
      }
      // What a deploy has moved is put back, as the next step says.
      if (what === 'moved') {
        rmSync(sandbox.stateDir, { recursive: true, force: true });
        renameSync(old, sandbox.stateDir);
      }
      sandbox.removeFaults();
      await using next = runBot(sandbox, 'echo');
      await next.waitFor('poll.started');
      await sandbox.ask({ chat: 12, text: 'are you there?' });
      // Telegram still has the update that came last.
      const lost = what === 'deleted' ? 2 * CHATS : 0;
      await sandbox.waitFor(() => sandbox.unanswered === lost);
      expect(await next.stop()).toMatchObject({ code: 0 });
    },
  );
});

const whyNoMount =
  process.platform !== 'linux' ? 'this is not Linux' : process.getuid?.() !== 0 ? 'it takes root' : undefined;

/** A small disk of its own for a test. */
class SmallDisk {
  readonly #folder = new Folder();
  readonly path = this.#folder.path;

  constructor(megabytes: number) {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', this.path]);
  }

  /** Leaves no more than so much; undefined: makes room again. */
  fill(leaveBytes: number | undefined): void {
    rmSync(join(this.path, 'filler'), { force: true });
    if (leaveBytes === undefined) return;
    const { bavail, bsize } = statfsSync(this.path);
    writeFileSync(join(this.path, 'filler'), Buffer.alloc(bavail * bsize - leaveBytes));
  }

  makeReadOnly(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.path]);
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', this.path]);
    this.#folder[Symbol.dispose]();
  }
}

(whyNoMount ? describe.skip : describe)(`a disk${whyNoMount ? ` (skipped: ${whyNoMount})` : ''}`, () => {
  it('that is read-only from the start is called so', async () => {
    await using sandbox = await openSandbox();
    using disk = new SmallDisk(1);
    disk.makeReadOnly();
    await using daemon = runBot(sandbox, 'echo', { env: { STATE_DIR: join(disk.path, 'state') } });
    await endsWith78(daemon, 'INBOX_UNAVAILABLE');
    expect(daemon.receipt).toMatchObject({ err: { message: expect.stringContaining('EROFS') } });
  });

  it('that is about to be full makes Telegram wait, before anything fails', async () => {
    await using sandbox = await openSandbox();
    using disk = new SmallDisk(100);
    disk.fill(10 * 2 ** 20);
    await using daemon = runBot(sandbox, 'echo', { env: { STATE_DIR: disk.path } });
    sandbox.say('hello');
    expect(await daemon.waitFor('inbox.paused')).toMatchObject({
      because: 'disk',
      freeBytes: expect.any(Number),
    });
    expect(sandbox.report().answered).toBe(0);
    disk.fill(undefined);
    await allAnswered(sandbox);
    await daemon.waitFor('inbox.resumed');
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  it('that is read-only ends the start with 78', async () => {
    await using sandbox = await openSandbox();
    using disk = new SmallDisk(100);
    disk.makeReadOnly();
    await using daemon = runBot(sandbox, 'echo', { env: { STATE_DIR: disk.path } });
    await endsWith78(daemon, 'INBOX_UNAVAILABLE');
  });

  it('that is full ends the run with 70; nothing is lost, and all goes on once there is room', async () => {
    await using sandbox = await openSandbox();
    using disk = new SmallDisk(100);
    const env = { STATE_DIR: disk.path, LOG_LEVEL: 'debug' };
    {
      await using daemon = runBot(sandbox, 'held', { ipc: true, env });
      await idle(sandbox);
      // The writes that go into the room that the log has already do not fail; one of so many does.
      sandbox.say({ chat: 1, text: 'slow' });
      await daemon.waitFor(({ event, count }) => event === 'poll.answered' && count === 1);
      await idle(sandbox);
      disk.fill(0);
      sandbox.say({ chat: 2, text: `quick ${'x'.repeat(4_000)} {n}`, count: 90 });
      daemon.child.send('go on');
      expect(await daemon.end()).toMatchObject({ code: 70, signal: null });
      expect(told(daemon, 'inbox.failed')).toMatchObject([
        {
          level: 'error',
          err: {
            code: 'INBOX_DISK',
            message: expect.stringMatching(/ENOSPC/),
            nextStep: expect.any(String),
          },
        },
      ]);
      expect(daemon.receipt).toMatchObject({ exitCode: 70, outcome: 'fault' });
    }
    disk.fill(undefined);
    await using daemon = runBot(sandbox, 'echo', { env });
    await allAnswered(sandbox);
    // The run before has ended by itself, which its record says, though there was no room.
    expect(told(daemon, 'previous-run.killed')).toEqual([]);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toMatchObject({ lost: 0, outOfOrder: 0 });
  });
});
