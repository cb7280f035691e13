import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { BotHistory } from '../../../src/cli/history/read.js';
import { history } from '../../../src/cli/history.js';
import { runCommand } from '../../support/command-run.js';
import { Folder } from '../../support/folder.js';

const KEY = '123456789';
const BEGUN = { kind: 'begun', run: 'a', atMs: 1, pid: 2, supervisor: 'none' };

/** Runs the command over a history in which a run has stopped for the reason. */
async function historyWith(reason: string, ...args: readonly string[]): Promise<string> {
  using folder = new Folder();
  const own = join(folder.path, KEY);
  mkdirSync(own);
  const ended = {
    ...{ kind: 'ended', run: 'a', atMs: 3, upMs: 2, stopMs: 1, steps: [], counts: {} },
    ...{ reason, reasonKind: 'request', outcome: 'clean', exitCode: 0 },
  };
  const lines = [BEGUN, ended].map((record) => `${JSON.stringify(record)}\n`);
  writeFileSync(join(own, 'history.jsonl'), lines.join(''));
  const env = { STATE_DIR: folder.path };
  return (await runCommand(history, ['--bot', KEY, ...args], { env })).stdout;
}

describe('lastcall history --json', () => {
  it('prints no control characters, and means the same', async () => {
    const reason = 'a \u009b31m b \u202e c \u2028 d';
    const output = await historyWith(reason, '--json');
    for (const character of ['\u009b', '\u202e', '\u2028']) expect(output).not.toContain(character);
    expect(JSON.parse(output).bots[0].runs[0].end.receipt.reason).toBe(reason);
  });
});

describe('lastcall history', () => {
  it('says that there is none of several processes that share an inbox', async () => {
    using folder = new Folder();
    const INBOX = 'postgres://bots@db.example/bots';
    mkdirSync(join(folder.path, KEY));
    for (const STATE_DIR of [folder.path, folder.file('none')]) {
      const { exitCode, stderr } = await runCommand(history, ['--bot', KEY], { env: { STATE_DIR, INBOX } });
      expect(exitCode).toBe(1);
      expect(stderr).toContain('With INBOX=postgres://… no history is kept.');
    }
    const { stderr } = await runCommand(history, ['--bot', KEY], { env: { STATE_DIR: folder.path } });
    expect(stderr).not.toContain('postgres');
  });

  describe('with starts that failed before their bot was known', () => {
    const DAY_MS = 24 * 60 * 60 * 1_000;
    const nowMs = Date.now();
    const failed = { times: 1, exitCode: 78, message: 'there is no bot.js', supervisor: 'none' };

    /** A state folder with the bots, each with one run between two failed starts, a day apart. */
    function stateOf(...keys: readonly string[]): Folder {
      const folder = new Folder();
      const begun = { ...BEGUN, atMs: nowMs - 2 * DAY_MS };
      for (const key of keys) folder.write(join(key, 'history.jsonl'), `${JSON.stringify(begun)}\n`);
      const starts = [3, 1].map((days) => nowMs - days * DAY_MS);
      const lines = starts.map((atMs) => `${JSON.stringify({ ...failed, firstMs: atMs, lastMs: atMs })}\n`);
      folder.write('failed-starts.jsonl', lines.join(''));
      return folder;
    }

    const ends = (text: string): readonly string[] => text.match(/could not start|no word of its end/g) ?? [];
    const show = (folder: Folder, ...args: readonly string[]) =>
      runCommand(history, ['--bot', KEY, ...args], { env: { STATE_DIR: folder.path } });

    it('shows them in their place among the runs, within the same bounds', async () => {
      using folder = stateOf(KEY);
      const [failure, run] = ['could not start', 'no word of its end'];
      expect(ends((await show(folder)).stdout)).toEqual([failure, run, failure]);
      expect(ends((await show(folder, '--last=2')).stdout)).toEqual([run, failure]);
      expect(ends((await show(folder, '--since=12h')).stdout)).toEqual([run]);
      const { bots } = JSON.parse((await show(folder, '--json', '--since=30h')).stdout);
      expect(bots[0]).toMatchObject({ failedStarts: [failed] });
    });

    it.each([
      ['no bot', []],
      ['several', [KEY, '2']],
    ])('shows them by themselves where there is %s', async (_, keys) => {
      using folder = stateOf(...keys);
      const { stdout, exitCode } = await show(folder);
      expect(exitCode).toBe(0);
      const [, theirs = ''] = stdout.split(
        `Starts that failed before their bot was known, in ${folder.path}`,
      );
      expect(ends(theirs)).toEqual(['could not start', 'could not start']);
      const json = JSON.parse((await show(folder, '--json')).stdout);
      expect(json.failedStarts).toMatchObject([{ stateDir: folder.path, starts: [failed, failed] }]);
      expect(json.bots.every((bot: BotHistory) => bot.failedStarts.length === 0)).toBe(true);
    });

    it('draws nothing where no bot has run', async () => {
      using folder = stateOf();
      expect(await show(folder, `--svg=${folder.file('picture.svg')}`)).toMatchObject({ exitCode: 1 });
    });
  });
});
