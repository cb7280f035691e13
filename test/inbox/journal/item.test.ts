import { expect, it } from '@jest/globals';
import { seq } from '../../../src/inbox/ids.js';
import { Item } from '../../../src/inbox/journal/item.js';

it('describes an update once, when it is made', () => {
  let described = 0;
  const update = { update_id: 42, chat: 'a chat' };
  const item = new Item(
    update,
    { seq: seq(7), attempt: 2, putBacks: 1, retries: 1, acceptedAtMs: 5, bytes: 100 },
    {
      keyOf: ({ chat }) => {
        described++;
        return chat;
      },
      groupOf: () => 'an album',
      kindOf: () => 'message',
    },
  );
  update.chat = 'changed by its handler';
  expect({ ...item }).toEqual({
    seq: 7,
    updateId: 42,
    key: 'a chat',
    group: 'an album',
    kind: 'message',
    attempt: 2,
    putBacks: 1,
    retries: 1,
    acceptedAtMs: 5,
    update,
    bytes: 100,
  });
  expect(item.update).toBe(update);
  expect(described).toBe(1);
});
