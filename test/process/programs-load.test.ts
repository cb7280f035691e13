/** Bot programs that are stopped under load, and started again: nothing is lost, and nothing is handled twice. */
import { describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { seededRandom } from '../../src/sandbox/seeded-random.js';
import { allAnswered, answers, countsOf, mishaps, openSandbox } from '../support/delivery.js';
import { Folder } from '../support/folder.js';
import { expectGoodEnd, launch, linesOf, slowAnswers } from '../support/programs.js';
import { expectStopped } from '../support/stopping.js';

jest.setTimeout(30_000);

const UPDATES = 300;
const CHATS = 30;
const HANDLER_MS = 50;
/** In the middle of the second batch of 100. */
const STOP_AFTER = 140;

const texts = Array.from({ length: UPDATES }, (_, n) => `message ${n}`);

/** In no order: where each chat has its turn, a stop would find no older update behind a newer one. */
function sayAll(sandbox: Sandbox): void {
  const random = seededRandom(1);
  for (const text of texts) sandbox.say({ chat: 1 + Math.floor(random() * CHATS), text });
}

/**
 * Runs the program until about half is answered, stops it, and lets a second run do the rest.
 * @returns how many the first run has handled
 */
async function inTwoRuns(sandbox: Sandbox, name: string, env: Readonly<Record<string, string>> = {}) {
  sayAll(sandbox);
  let handled: number;
  {
    await using daemon = launch(sandbox, name, { env });
    await answers(sandbox, STOP_AFTER);
    const receipt = expectStopped(daemon, await daemon.stop(), { reason: 'SIGTERM' });
    const counts = countsOf(receipt);
    expect(counts).toMatchObject({ failed: 0, timedOut: 0, mayRepeat: 0 });
    handled = counts.handled;
    expect(handled).toBeLessThan(UPDATES);
    expect(mishaps(sandbox)).toEqual({ lost: UPDATES - handled, twice: 0, outOfOrder: 0 });
  }
  await using daemon = launch(sandbox, name, { env });
  await allAnswered(sandbox);
  const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop());
  expect(countsOf(receipt)).toMatchObject({ handled: UPDATES - handled });
  return handled;
}

describe(`${UPDATES} waiting updates of ${CHATS} chats, stopped in the middle and started again`, () => {
  it.each([['readme.js'], ['readme-esm.mjs']])(
    "the example of Telegraf's README (%s): nothing lost, nothing twice",
    async (name) => {
      await using sandbox = await openSandbox();
      slowAnswers(sandbox, HANDLER_MS);
      await inTwoRuns(sandbox, name);
    },
  );

  it('a program whose signal handler closes the database that its handlers need: none finds it closed', async () => {
    await using sandbox = await openSandbox();
    using folder = new Folder();
    const database = folder.file('database.txt');
    const handled = await inTwoRuns(sandbox, 'closes-database.js', {
      DATABASE: database,
      HANDLER_MS: String(HANDLER_MS),
    });
    const written = linesOf(database);
    expect(written.indexOf('closed')).toBe(handled);
    expect(written.at(-1)).toBe('closed');
    expect(written.filter((line) => line !== 'closed').sort()).toEqual([...texts].sort());
  });
});
