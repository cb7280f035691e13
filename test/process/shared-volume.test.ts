/** Two containers with the same hostname that have one volume: namespaces of their own, and one STATE_DIR. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, jest } from '@jest/globals';
import { CutNetwork, whyNoBlackHole } from '../support/black-hole.js';
import type { Daemon } from '../support/daemon.js';
import { allAnswered, mishaps, noMishaps, openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { told } from '../support/stopping.js';

jest.setTimeout(30_000);

const CHATS = 10;

/** Runs the bot as process 1 of namespaces of its own; only files are shared. */
const runContained = (sandbox: TestBed, network: CutNetwork): Daemon =>
  runBot(sandbox, 'echo', {
    env: { TELEGRAM_API_ROOT: network.apiRoot, HANDLER_MS: '300' },
    entering: [...network.entering, 'unshare', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'],
  });

/** Sends a signal to the bot itself, whose parent is the command that has made the namespaces. */
function kill({ child: { pid } }: Daemon, signal: NodeJS.Signals): void {
  const [bot] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  process.kill(Number(bot), signal);
}

const sayInAllChats = (sandbox: TestBed): void => {
  for (let chat = 1; chat <= CHATS; chat++) sandbox.say({ chat, text: `m ${chat} {n}`, count: 3 });
};

const whyNot = whyNoBlackHole();

(whyNot ? describe.skip : describe)(
  `two containers with one volume${whyNot ? ` (skipped: ${whyNot})` : ''}`,
  () => {
    it('run the bot one at a time, and the second says nothing false of the first', async () => {
      await using sandbox = await openSandbox();
      await using one = await CutNetwork.open(sandbox.port);
      await using other = await CutNetwork.open(sandbox.port);
      await using first = runContained(sandbox, one);
      await first.waitFor('poll.started');
      sayInAllChats(sandbox);
      await using second = runContained(sandbox, other);
      await second.waitFor('lock.waiting');
      await allAnswered(sandbox);
      sayInAllChats(sandbox);
      kill(first, 'SIGTERM');
      expect(await first.end()).toMatchObject({ code: 0 });
      await allAnswered(sandbox);
      kill(second, 'SIGTERM');
      expect(await second.end()).toMatchObject({ code: 0 });
      expect(told(second, 'previous-run.killed')).toEqual([]);
      expect(mishaps(sandbox)).toEqual(noMishaps);
      expect(sandbox.state().conflicts).toBe(0);
    });

    it('say nothing of the first where it has gone without a word, before it is known to be dead', async () => {
      await using sandbox = await openSandbox();
      await using one = await CutNetwork.open(sandbox.port);
      await using other = await CutNetwork.open(sandbox.port);
      await using first = runContained(sandbox, one);
      await first.waitFor('poll.started');
      await using second = runContained(sandbox, other);
      await second.waitFor('lock.waiting');
      sayInAllChats(sandbox);
      await sandbox.waitFor(() => sandbox.report().answered >= CHATS);
      kill(first, 'SIGKILL');
      // The lock does not reach into another machine, on which the first may be for all that is known.
      await second.waitFor('inbox.waiting');
      kill(second, 'SIGTERM');
      expect(await second.end()).toMatchObject({ code: 0 });
      expect(told(second, 'previous-run.killed')).toEqual([]);
      expect(mishaps(sandbox)).toMatchObject({ outOfOrder: 0 });
    });
  },
);
