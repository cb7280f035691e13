/** `lastcall inbox move`: between a journal and a real database, and back. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { inbox } from '../../src/cli/inbox.js';
import { runCommand } from '../support/command-run.js';
import { CommitCut, type CommitFate } from '../support/commit-cut.js';
import { Folder } from '../support/folder.js';
import { AtWork, newBot, update } from '../support/inbox-folder.js';
import { PostgresServer } from '../support/postgres.js';

jest.setTimeout(60_000);

let server: PostgresServer;
let url: string;
let state: Folder;
let bot: string;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(async () => {
  await server.stop();
});
beforeEach(async () => {
  url = await server.createDatabase();
  state = new Folder();
  bot = newBot();
});
afterEach(() => state[Symbol.dispose]());

const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runCommand(inbox, args, { env: { INBOX: url, STATE_DIR: state.path, ...env }, cwd: state.path });

const rows = (statement: string) => server.queryTables(statement, url);
const names = () => readdirSync(state.file(bot)).filter((name) => name.startsWith('inbox'));

/** A journal with an update whose process died, one put back, three more that wait, and two dead letters. */
async function fillJournal(): Promise<void> {
  const first = await AtWork.begin({ stateDir: state.path, bot });
  await first.accept(update(1, 1), update(2, 2), update(3, 3), update(4, 4, 'a\u0000b'), update(5, 1));
  await first.fail(new Error('no such order'), 3);
  await first.giveUp('timed-out', undefined, 4);
  await first.putBack(3_600_000, 2);
  await first.handle(1);
  await first.end('kill');
  const second = await AtWork.begin({ stateDir: state.path, bot });
  await second.accept(update(6, 2), update(7, 5));
  await second.end('stop');
}

/** All that an inbox tells of its updates, without its own numbers. */
async function contents(where: string) {
  const { stdout } = await run(['export'], { INBOX: where });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { seq, at, nextTryAt, ...known } = JSON.parse(line) as Record<string, unknown>;
      return { ...known, waits: nextTryAt !== null };
    });
}

describe('a move', () => {
  it('brings all that a journal holds to the database, and back', async () => {
    await fillJournal();
    const before = await contents('journal');
    expect(before).toHaveLength(7);
    const there = await run(['move', 'database']);
    expect(there.stdout).toMatch(
      /^moved 5 updates and 2 dead letters of bot .* to 127\.0\.0\.1:\d+\/test_\d+; .*\.moved-[\da-f-]+ may be removed\n$/,
    );
    expect(names()).toEqual([expect.stringMatching(/^inbox\.moved-/)]);
    expect(await contents(url)).toEqual(before);
    expect(await rows('select key, host from lanes order by key')).toEqual(
      ['1', '2', '5'].map((key) => ({ key: expect.stringContaining(key), host: null })),
    );
    const [poller] = await rows('select recent from pollers');
    expect(JSON.parse(`${poller?.['recent']}`).flatMap(([, ids]: [number, number[]]) => ids)).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);

    const back = await run(['move', 'journal']);
    expect(back.stdout).toContain('moved 5 updates and 2 dead letters');
    expect(await contents('journal')).toEqual(before);
    expect(
      await rows('select 1 from updates union all select 1 from lanes union all select 1 from dead_letters'),
    ).toEqual([]);
    // It is a journal like any other, and knows what Telegram may send again.
    const bothWays = await AtWork.begin({ stateDir: state.path, bot });
    await bothWays.accept(update(7, 5), update(8, 5));
    await bothWays.handle(7, 1);
    expect(bothWays.taken.map(({ updateId, attempt }) => [updateId, attempt])).toEqual([
      [1, 2],
      [7, 1],
    ]);
    await bothWays.end('stop');
  });

  it('moves more than a slice, in order', async () => {
    const run1 = await AtWork.begin({ stateDir: state.path, bot });
    const ids = Array.from({ length: 1_300 }, (_, index) => index + 1);
    await run1.accept(...ids.map((id) => update(id, id % 7)));
    await run1.end('stop');
    await run(['move', 'database']);
    expect((await rows('select update_id::int as id from updates order by seq')).map(({ id }) => id)).toEqual(
      ids,
    );
    await run(['move', 'journal']);
    expect((await contents('journal')).map((entry) => (entry as { updateId?: number }).updateId)).toEqual(
      ids,
    );
  });

  it('counts what was at work in a process that was killed', async () => {
    await fillJournal();
    await run(['move', 'database']);
    await rows(`insert into hosts (bot, place, lease_ms, running, beat_at)
      select bot, 'gone', 5000, array_agg(seq), clock_timestamp() - interval '1 minute' from updates where update_id = 7 group by bot`);
    await run(['move', 'journal']);
    expect(await contents('journal')).toContainEqual(
      expect.objectContaining({ updateId: 7, attempts: 1, deaths: 1 }),
    );
  });
});

describe('a move is refused, and changes nothing,', () => {
  const refused = (code: string) => expect.objectContaining({ code });

  it('while a process works with the journal', async () => {
    const atWork = await AtWork.begin({ stateDir: state.path, bot });
    await atWork.accept(update(1));
    await expect(run(['move', 'database'])).rejects.toEqual(refused('INBOX_IN_USE'));
    await atWork.end('stop');
    expect(names()).toEqual(['inbox']);
  });

  it('while a process works with the database', async () => {
    await fillJournal();
    await run(['migrate']);
    await rows(
      `insert into pollers (bot) values ('${bot}'); insert into updates (bot, update_id, key, kind, content) values ('${bot}', 9, 'k', 'message', '{}'); insert into hosts (bot, place, lease_ms) values ('${bot}', 'elsewhere', 60000)`,
    );
    for (const goal of ['database', 'journal']) {
      if (goal === 'journal') renameSync(state.file(bot, 'inbox'), state.file(bot, 'other'));
      await expect(run(['move', goal])).rejects.toMatchObject({
        code: 'INBOX_IN_USE',
        message: expect.stringContaining('elsewhere'),
      });
    }
    renameSync(state.file(bot, 'other'), state.file(bot, 'inbox'));
    expect(names()).toEqual(['inbox']);
    expect(await contents('journal')).toHaveLength(7);
  });

  it('where the other inbox holds updates', async () => {
    await fillJournal();
    await run(['migrate']);
    await rows(`insert into pollers (bot) values ('${bot}');
      insert into updates (bot, update_id, key, kind, content) values ('${bot}', 9, 'k', 'message', '{}')`);
    for (const goal of ['database', 'journal'])
      await expect(run(['move', goal])).rejects.toEqual(refused('INBOX_OCCUPIED'));
    expect(names()).toEqual(['inbox']);
  });

  it('where the folder is of a former version, by whose name nobody looks for the bot', async () => {
    await fillJournal();
    renameSync(state.file(bot), state.file(`${Number.parseInt(bot, 10)}-0123456789abcdef`));
    await expect(run(['move', 'database'])).rejects.toMatchObject({
      message: expect.stringContaining('former version'),
    });
  });

  it('where it is not said where to, or from where', async () => {
    await expect(run(['move'])).rejects.toEqual(refused('COMMAND_MISUSED'));
    await expect(run(['move', 'database'], { INBOX: 'journal' })).rejects.toEqual(refused('COMMAND_MISUSED'));
    await expect(run(['move', 'database'])).rejects.toEqual(refused('INBOX_NOT_FOUND'));
  });
});

describe('a move that was killed', () => {
  const moving = (direction: string, id: string) => state.file(bot, `inbox.${direction}-${id}`);

  it('keeps the bot from running with what is left', async () => {
    await fillJournal();
    renameSync(state.file(bot, 'inbox'), moving('to-database', randomUUID()));
    await expect(AtWork.begin({ stateDir: state.path, bot })).rejects.toMatchObject({
      code: 'INBOX_MOVING',
      exitCode: 78,
    });
  });

  it('goes on before the database had anything', async () => {
    await fillJournal();
    const before = await contents('journal');
    renameSync(state.file(bot, 'inbox'), moving('to-database', randomUUID()));
    await expect(run(['move', 'journal', '--bot', bot])).rejects.toMatchObject({ code: 'INBOX_NOT_FOUND' });
    await run(['move', 'database']);
    expect(await contents(url)).toEqual(before);
  });

  it('adds nothing twice after the database had all', async () => {
    await fillJournal();
    await run(['move', 'database']);
    const [moved = ''] = names();
    renameSync(state.file(bot, moved), moving('to-database', moved.slice('inbox.moved-'.length)));
    expect((await run(['move', 'database'])).stdout).toContain('moved 5 updates and 2 dead letters');
    expect(await contents(url)).toHaveLength(7);
    expect(names()).toEqual([moved]);
  });

  it('has nothing to do where it was over', async () => {
    await fillJournal();
    await run(['move', 'database']);
    const nothing = { exitCode: 0, stdout: expect.stringContaining('nothing to move') };
    expect(await run(['move', 'database'])).toMatchObject(nothing);
    await run(['move', 'journal']);
    expect(await run(['move', 'journal'])).toMatchObject(nothing);
    expect(await contents('journal')).toHaveLength(7);
  });

  it('begins anew where half of the journal was written', async () => {
    await fillJournal();
    const before = await contents('journal');
    await run(['move', 'database']);
    mkdirSync(join(moving('to-journal', randomUUID()), 'log'), { recursive: true });
    await run(['move', 'journal']);
    expect(await contents('journal')).toEqual(before);
    expect(names().filter((name) => name.includes('to-journal'))).toEqual([]);
  });

  it('keeps the journal where the database has given all away', async () => {
    await fillJournal();
    const before = await contents('journal');
    await run(['move', 'database']);
    await run(['move', 'journal']);
    const [{ id } = {}] = await rows('select id from moves order by at desc limit 1');
    renameSync(state.file(bot, 'inbox'), moving('to-journal', `${id}`));
    await run(['move', 'journal']);
    expect(existsSync(state.file(bot, 'inbox'))).toBe(true);
    expect(await contents('journal')).toEqual(before);
  });
});

describe('a move whose connection is lost amid the commit', () => {
  const unfinishedOf = (direction: string) => names().filter((name) => name.includes(direction));
  const away = { code: 'INBOX_DATABASE_AWAY' };

  it.each<[string, CommitFate]>([
    ['was done', 'carried out'],
    ['was not done', 'lost'],
  ])('to the database, and %s, is gone on with by the next one', async (_, fate) => {
    await fillJournal();
    const before = await contents('journal');
    await run(['migrate']);
    {
      await using cut = await CommitCut.open(url, fate);
      await expect(run(['move', 'database'], { INBOX: cut.url })).rejects.toMatchObject(away);
    }
    // Which of the two it was is not known: the bot runs with neither.
    expect(unfinishedOf('to-database')).toHaveLength(1);
    await expect(AtWork.begin({ stateDir: state.path, bot })).rejects.toMatchObject({ code: 'INBOX_MOVING' });
    expect((await run(['move', 'database'])).stdout).toContain('moved 5 updates and 2 dead letters');
    expect(await contents(url)).toEqual(before);
    expect(names()).toEqual([expect.stringContaining('.moved-')]);
  });

  it.each<[string, CommitFate]>([
    ['was done', 'carried out'],
    ['was not done', 'lost'],
  ])('to the journal, and %s, is gone on with by the next one', async (_, fate) => {
    await fillJournal();
    const before = await contents('journal');
    await run(['move', 'database']);
    {
      await using cut = await CommitCut.open(url, fate);
      await expect(run(['move', 'journal'], { INBOX: cut.url })).rejects.toMatchObject(away);
    }
    expect(unfinishedOf('to-journal')).toHaveLength(1);
    expect((await run(['move', 'journal'])).stdout).toContain('moved 5 updates and 2 dead letters');
    expect(await contents('journal')).toEqual(before);
    expect(
      await rows('select from updates union all select from lanes union all select from dead_letters'),
    ).toEqual([]);
  });

  it('is not given back to the journal when the next one fails, since the database has it', async () => {
    await fillJournal();
    await run(['migrate']);
    {
      await using cut = await CommitCut.open(url, 'carried out');
      await expect(run(['move', 'database'], { INBOX: cut.url })).rejects.toMatchObject(away);
    }
    const [moving = ''] = names();
    const log = state.file(bot, moving, 'log');
    renameSync(log, `${log}.elsewhere`);
    writeFileSync(log, 'no folder');
    await expect(run(['move', 'database'])).rejects.toMatchObject({ code: 'INBOX_UNAVAILABLE' });
    expect(names()).toEqual([moving]);
    rmSync(log);
    renameSync(`${log}.elsewhere`, log);
    await run(['move', 'database']);
    expect(await contents(url)).toHaveLength(7);
  });
});
