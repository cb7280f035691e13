import { describe, expect, it } from '@jest/globals';
import { chat, type Message, person } from '../../../src/sandbox/message.js';
import { StoredMessages } from '../../../src/sandbox/state/stored-messages.js';
import { FakeClock } from '../../support/fake-clock.js';
import { openTestSandbox } from '../test-sandbox.js';

const message = (id: number, text = 'x'): Message => ({
  message_id: id,
  from: person(1),
  chat: chat(1),
  date: 1,
  text,
});

describe('messages', () => {
  it('are forgotten from the oldest on, in the order in which they were sent', () => {
    const messages = new StoredMessages({ clock: new FakeClock(), isWaiting: () => false });
    for (let id = 1; id <= 9_000; id++) messages.store(message(id));
    messages.store(message(7_000, 'edited'));
    messages.react(1, 1, ['👍']);
    messages.react(1, 8_000, ['👍']);
    for (let id = 9_001; id <= 12_000; id++) messages.store(message(id));
    const ids = messages.in(1).map(({ message_id }) => message_id);
    expect(ids.length).toBeGreaterThanOrEqual(5_000);
    expect(ids.length).toBeLessThan(10_000);
    const [oldest = 0] = ids;
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => oldest + index));
    expect(ids.at(-1)).toBe(12_000);
    expect(messages.find(1, 7_000)).toMatchObject({ text: 'edited' });
    expect(messages.reactions(1, 1)).toEqual([]);
    expect(messages.reactions(1, 8_000)).toEqual(['👍']);
    expect([oldest - 1, oldest].map((id) => messages.mayHaveBeen(id))).toEqual([true, false]);
  });

  it('are not forgotten while the update waits that brings them, whatever becomes of them', () => {
    const messages = new StoredMessages({ clock: new FakeClock(), isWaiting: (updateId) => updateId >= 3 });
    for (let id = 1; id <= 4; id++) messages.store(message(id), id);
    messages.store(message(3, 'edited'));
    for (let id = 5; id <= 30_000; id++) messages.store(message(id));
    expect([1, 2, 3, 4].map((id) => messages.find(1, id)?.text)).toEqual([
      undefined,
      undefined,
      'edited',
      'x',
    ]);
    expect(messages.in(1).length).toBeLessThan(10_002);
  });

  it('that wait can be copied, forwarded and replied to, however many there are', async () => {
    const { call, sandbox } = await openTestSandbox();
    sandbox.say({ chat: 1, text: '{n}', count: 10_500 });
    const source = { chat_id: 2, from_chat_id: 1, message_id: 1 };
    expect((await call('copyMessage', source)).ok).toBe(true);
    expect((await call('forwardMessage', source)).result).toMatchObject({ text: '1' });
    const reply = { chat_id: 1, text: 'x', reply_parameters: { message_id: 1 } };
    expect((await call('sendMessage', reply)).result).toMatchObject({ reply_to_message: { text: '1' } });

    await call('deleteWebhook', { drop_pending_updates: true });
    sandbox.say({ chat: 1, text: '{n}', count: 5_500 });
    expect((await call('sendMessage', reply)).result).toMatchObject({
      reply_to_message: { message_id: 1, chat: { id: 1 }, date: expect.any(Number) },
    });
    // What it was is no longer known.
    expect((await call('forwardMessage', source)).result).toMatchObject({
      text: 'A message that the sandbox no longer keeps',
    });
    expect((await call('copyMessage', { ...source, message_id: 99_999 })).ok).toBe(false);
  });
});
