/** A chat whose updates wait for long behind one another is named in the log, and so is the end of that. */
import { describe, expect, it, jest } from '@jest/globals';
import type { Daemon } from '../support/daemon.js';
import { allAnswered, mishaps, noMishaps, openSandbox, runBot } from '../support/delivery.js';

jest.setTimeout(60_000);

const named = (daemon: Daemon, name: string) => daemon.lines.filter(({ event }) => event === name);

/** 200 people press a button of the same message in a group at once. */
const presses = Array.from({ length: 200 }, (_, n) => ({
  callback_query: {
    id: `press${n}`,
    from: { id: 1_000 + n, is_bot: false, first_name: 'Presser' },
    chat_instance: '1',
    data: 'press',
    message: { message_id: 2, date: 1, chat: { id: -1_001, type: 'supergroup', title: 'Group' }, text: 'x' },
  },
}));

describe('a chat jams', () => {
  it.each([
    ['journal', 150],
    ['memory', 50],
  ])('once for a busy group, with INBOX=%s', async (inbox, leastWaiting) => {
    await using sandbox = await openSandbox();
    sandbox.addUpdates(presses);
    await using daemon = runBot(sandbox, 'jammed', { env: { INBOX: inbox } });
    const jammed = await daemon.waitFor('dispatch.jammed');
    expect(jammed).toMatchObject({ level: 'warn', key: '-1001', kind: 'callback_query' });
    expect(jammed['waiting']).toBeGreaterThan(leastWaiting);
    expect(jammed['durationMs']).toBeLessThan(1_000);
    const answered = () => sandbox.callCount('answerCallbackQuery');
    const before = answered();
    await sandbox.waitFor(() => answered() >= before + 10);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(named(daemon, 'dispatch.jammed')).toHaveLength(1);
  });

  it('for one slow handler with one update behind it, until the handler has ended', async () => {
    await using sandbox = await openSandbox();
    sandbox.say('slow');
    sandbox.say('behind');
    sandbox.say({ chat: 2, text: 'slow' });
    await using daemon = runBot(sandbox, 'jammed', { env: { SLOW_MS: '13000' } });
    await allAnswered(sandbox);
    const ended = await daemon.waitFor('dispatch.unjammed');
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    const [jammed, ...others] = named(daemon, 'dispatch.jammed');
    expect(others).toEqual([]);
    expect(jammed).toMatchObject({ kind: 'message', waiting: 1, key: ended['key'] });
    for (const [line, field, ms] of [
      [jammed, 'waitedMs', 10_000],
      [jammed, 'durationMs', 10_000],
      [ended, 'jammedMs', 13_000],
    ] as const)
      expect(Math.abs(Number(line?.[field]) - ms)).toBeLessThan(2_000);
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  it('not where it is all slots that are taken', async () => {
    await using sandbox = await openSandbox();
    sandbox.say('slow');
    sandbox.say('behind');
    await using daemon = runBot(sandbox, 'jammed', { env: { SLOW_MS: '13000', CONCURRENCY: '1' } });
    await allAnswered(sandbox);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(named(daemon, 'dispatch.jammed')).toEqual([]);
  });
});
