import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
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
});
