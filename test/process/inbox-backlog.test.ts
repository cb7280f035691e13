/** A bot that finds a hundred thousand updates in its inbox: it begins at once, and what waits takes no memory. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { botKey } from '../../src/host/bot-key.js';
import { updateId } from '../../src/inbox/ids.js';
import { systemDisk } from '../../src/inbox/log/disk.js';
import { openStore } from '../../src/inbox/store/open-store.js';
import { identityOfToken } from '../../src/telegraf/identity.js';
import { median } from '../support/daemon.js';
import { openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { newUpdates } from '../support/new-updates.js';

jest.setTimeout(120_000);

const UPDATES = 100_000;
const CHATS = 500;

/** Puts so many updates where a run that was stopped would have left them. */
async function fillInbox({ stateDir, token, apiRoot }: TestBed): Promise<void> {
  const bot = botKey(identityOfToken(token, apiRoot));
  const folder = join(stateDir, bot, 'inbox');
  systemDisk.makeFolder(folder);
  const store = await openStore({
    disk: systemDisk,
    folder,
    bot,
    survivesPowerCut: true,
    now: Date.now,
  });
  for (let first = 1; first < UPDATES; first += 100) {
    const updates = Array.from({ length: 100 }, (_, index) => message(first + index));
    store.ledger.recent.confirm(updateId(first));
    store.append(newUpdates(updates), updateId(first));
  }
  await store.commit();
  store.close();
}

function message(updateId: number) {
  const chat = { id: 1 + (updateId % CHATS), type: 'private', first_name: 'Ada' };
  const from = { id: chat.id, is_bot: false, first_name: 'Ada' };
  const text = `message ${updateId} of a conversation that has been going on for a while`;
  const update = {
    update_id: updateId,
    message: { message_id: updateId, date: 1_700_000_000, chat, from, text },
  };
  return { updateId, key: `${chat.id}`, kind: 'message', content: update };
}

/** What no file stands behind, in MB. */
function anonymousMemory(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

describe(`an inbox with ${UPDATES} updates`, () => {
  it('has its first handler at work within a second of the first poll, in hardly more memory', async () => {
    const delaysMs: number[] = [];
    const memory: number[] = [];
    for (let round = 1; round <= 5; round++) {
      await using sandbox = await openSandbox();
      sandbox.jumpTo(UPDATES + 1);
      await fillInbox(sandbox);
      await using daemon = runBot(sandbox, 'echo', { env: { HANDLER_MS: '20' } });
      expect(await daemon.waitFor('inbox.recovered')).toMatchObject({ updates: UPDATES, begun: 0 });
      await sandbox.waitFor(() => sandbox.callCount('sendMessage') > 0 && sandbox.state().polls > 0);
      const [firstPoll] = sandbox.calls({ method: 'getUpdates' });
      const [firstAnswer] = sandbox.calls({ method: 'sendMessage' });
      delaysMs.push((firstAnswer?.atMs ?? Infinity) - (firstPoll?.atMs ?? 0));
      await sandbox.waitFor(() => sandbox.callCount('sendMessage') > 2_000);
      if (process.platform === 'linux') memory.push(anonymousMemory(daemon.child.pid));
      await daemon.stop('SIGKILL');
    }
    process.stdout.write(
      `first answer ${delaysMs.map(Math.round).join(', ')} ms after the first poll; ${memory.map(Math.round).join(', ')} MB\n`,
    );
    expect(median(delaysMs)).toBeLessThan(1_000);
  });
});
