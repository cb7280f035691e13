import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { albumOf, guardedOrderKey, type Order, orderKey, updateKind } from '../../src/telegraf/order-key.js';

const ann = { id: 11, is_bot: false, first_name: 'Ann' };
const bot = { id: 99, is_bot: true, first_name: 'Bot' };
const annsChat = { id: 11, type: 'private', first_name: 'Ann' };
const group = { id: -100123, type: 'supergroup', title: 'Group' };
const channel = { id: -100777, type: 'channel', title: 'Channel' };
const inAnnsChat = { message_id: 5, date: 1, from: ann, chat: annsChat, text: 'hello' };
const inGroup = { message_id: 5, date: 1, from: ann, chat: group, text: 'hello' };
const post = { message_id: 5, date: 1, sender_chat: channel, chat: channel, text: 'news' };
const toBusiness = { ...inAnnsChat, business_connection_id: 'bc1' };
const poll = { id: '5150', question: 'Tea?', options: [], is_anonymous: true, type: 'regular' };
const member = { chat: group, from: ann, date: 1, old_chat_member: {}, new_chat_member: {} };

/** Every kind of update of Bot API 10, some of them in each shape that matters for order. */
const kinds: [kind: string, shape: string, content: object, key: string][] = [
  ['message', 'private', inAnnsChat, '11'],
  ['message', 'group', inGroup, '-100123'],
  ['message', 'sent in the name of a channel', { ...inGroup, sender_chat: channel }, '-100123'],
  ['message', 'topic of a forum', { ...inGroup, message_thread_id: 3, is_topic_message: true }, '-100123'],
  ['edited_message', 'private', { ...inAnnsChat, edit_date: 2 }, '11'],
  ['channel_post', '', post, '-100777'],
  ['edited_channel_post', '', { ...post, edit_date: 2 }, '-100777'],
  [
    'business_connection',
    '',
    { id: 'bc1', user: ann, user_chat_id: 11, date: 1, can_reply: true, is_enabled: true },
    '11',
  ],
  ['business_message', '', toBusiness, 'business:bc1:11'],
  ['edited_business_message', '', { ...toBusiness, edit_date: 2 }, 'business:bc1:11'],
  [
    'deleted_business_messages',
    '',
    { business_connection_id: 'bc1', chat: annsChat, message_ids: [5] },
    'business:bc1:11',
  ],
  ['guest_message', '', { ...inGroup, guest_query_id: 'q1' }, '-100123'],
  [
    'message_reaction',
    'of a user',
    { chat: group, message_id: 5, user: ann, date: 1, old_reaction: [], new_reaction: [] },
    '-100123',
  ],
  [
    'message_reaction',
    'of an anonymous admin',
    { chat: group, message_id: 5, actor_chat: channel, date: 1, old_reaction: [], new_reaction: [] },
    '-100123',
  ],
  ['message_reaction_count', '', { chat: channel, message_id: 5, date: 1, reactions: [] }, '-100777'],
  ['inline_query', '', { id: 'q1', from: ann, query: 'cats', offset: '' }, 'inline_query:q1'],
  ['chosen_inline_result', '', { result_id: 'r1', from: ann, query: 'cats' }, '11'],
  [
    'callback_query',
    'with its message',
    { id: 'c1', from: ann, message: inGroup, chat_instance: 'i' },
    '-100123',
  ],
  [
    'callback_query',
    'with a message out of reach',
    { id: 'c1', from: ann, message: { chat: group, message_id: 5, date: 0 }, chat_instance: 'i' },
    '-100123',
  ],
  [
    'callback_query',
    'of an inline message',
    { id: 'c1', from: ann, inline_message_id: 'm', chat_instance: 'i' },
    '11',
  ],
  [
    'callback_query',
    'in a business chat',
    { id: 'c1', from: ann, message: toBusiness, chat_instance: 'i' },
    'business:bc1:11',
  ],
  [
    'shipping_query',
    '',
    { id: 's1', from: ann, invoice_payload: 'p', shipping_address: {} },
    'shipping_query:s1',
  ],
  [
    'pre_checkout_query',
    '',
    { id: 'p1', from: ann, currency: 'XTR', total_amount: 1, invoice_payload: 'p' },
    'pre_checkout_query:p1',
  ],
  ['purchased_paid_media', '', { from: ann, paid_media_payload: 'p' }, '11'],
  ['poll', '', poll, 'poll:5150'],
  ['poll_answer', 'of a user', { poll_id: '5150', user: ann, option_ids: [0] }, '11'],
  [
    'poll_answer',
    'of an anonymous voter, for whom Telegram puts a stand-in user',
    { poll_id: '5150', voter_chat: channel, user: { id: 136_817_688, is_bot: true }, option_ids: [0] },
    '-100777',
  ],
  ['my_chat_member', '', { ...member, chat: annsChat }, '11'],
  ['chat_member', '', member, '-100123'],
  ['chat_join_request', '', { chat: group, from: ann, user_chat_id: 11, date: 1 }, '-100123'],
  ['chat_boost', '', { chat: channel, boost: { boost_id: 'b', source: { user: ann } } }, '-100777'],
  ['removed_chat_boost', '', { chat: channel, boost_id: 'b', remove_date: 1, source: {} }, '-100777'],
  ['managed_bot', '', { user: ann, bot }, '11'],
];

/** Kinds that do not exist, in the shapes that Telegram's kinds have had so far. */
const unknownKinds: [kind: string, shape: string, content: object, key: string][] = [
  ['story_posted', 'in a chat', { chat: group, story: { id: 3 } }, '-100123'],
  ['gift_query', 'by a user', { id: 'g', from: ann }, '11'],
  ['secret_message', 'about a message', { message: inGroup }, '-100123'],
  ['auction', 'with an id of its own', { id: 'x7', bids: [] }, 'auction:x7'],
  ['weather', 'with nothing known', { degrees: 20 }, 'weather'],
];

const orders: readonly Order[] = ['chat', 'user', 'none'];

describe('the order key', () => {
  it.each([...kinds, ...unknownKinds])('of %s (%s)', (kind, _, content, key) => {
    const update = { update_id: 1, [kind]: content };
    expect(orderKey(update)).toBe(key);
    expect(updateKind(update)).toBe(kind);
  });

  it('of the kinds of the Bot API is tried for all 25', () => {
    expect(new Set(kinds.map(([kind]) => kind)).size).toBe(25);
  });

  it('keeps a business chat apart from the same customer’s other chats', () => {
    const keys = [inAnnsChat, toBusiness, { ...toBusiness, business_connection_id: 'bc2' }].map((message) =>
      orderKey({ update_id: 1, message }),
    );
    expect(new Set(keys).size).toBe(3);
  });

  it('puts a private chat and what its user does elsewhere in one order', () => {
    const result = { update_id: 2, chosen_inline_result: { result_id: 'r1', from: ann, query: '' } };
    expect(orderKey(result)).toBe(orderKey({ update_id: 1, message: inAnnsChat }));
  });

  it.each([[undefined], [null], [7], ['message'], [{}], [{ update_id: 1 }], [[]]])(
    'of %j is a last resort',
    (update) => {
      expect(orderKey(update)).toBe('unknown');
      expect(updateKind(update)).toBe('unknown');
    },
  );

  it.each([[{ chat: { id: '' } }], [{ chat: {}, from: null }], [{ id: '' }], [[]]])(
    'of a message like %j is its kind',
    (message) => {
      expect(orderKey({ update_id: 1, message })).toBe('message');
    },
  );

  it('is a string with something in it, and no error, for any shape at all', () => {
    const field = fc.constantFrom(
      'update_id',
      'message',
      'poll',
      'chat',
      'from',
      'user',
      'id',
      'voter_chat',
      'media_group_id',
      'inline_query',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.anything({ withNullPrototype: true, withMap: true, withDate: true }),
        fc.dictionary(
          fc.oneof({ arbitrary: field, weight: 5 }, { arbitrary: fc.string(), weight: 1 }),
          tie('tree'),
        ),
      ),
    }));
    fc.assert(
      fc.property(tree, (update) => {
        for (const order of orders) expect(orderKey(update, order)).toMatch(/./s);
        expect(updateKind(update)).toMatch(/./s);
        expect(albumOf(update) ?? 'none').toMatch(/./s);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the order by user', () => {
  const ofAnn = (kind: string, content: object) => orderKey({ update_id: 1, [kind]: content }, 'user');
  const ben = { ...ann, id: 12 };

  it.each<[string, string, object, string]>([
    ['a message in a group', 'message', inGroup, '-100123:11'],
    ['an edit', 'edited_message', { ...inGroup, edit_date: 2 }, '-100123:11'],
    ['a button in a group', 'callback_query', { id: 'c', from: ben, message: inGroup }, '-100123:12'],
    ['a reaction', 'message_reaction', { chat: group, user: ben, message_id: 5 }, '-100123:12'],
    ['a message in a private chat', 'message', inAnnsChat, '11'],
    ['a button of an inline message', 'callback_query', { id: 'c', from: ann, inline_message_id: 'm' }, '11'],
    ['a customer of a business', 'business_message', toBusiness, 'business:bc1:11'],
    ['the owner of a business', 'business_message', { ...toBusiness, from: ben }, 'business:bc1:11:12'],
    ['a post in a channel, which has no user', 'channel_post', post, '-100777'],
    ['a count of reactions', 'message_reaction_count', { chat: channel, message_id: 5 }, '-100777'],
    ['a vote in the name of a channel', 'poll_answer', { voter_chat: channel, user: ann }, '-100777'],
    ['an inline query', 'inline_query', { id: 'q1', from: ann }, 'inline_query:q1'],
  ])('of %s', (_, kind, content, key) => {
    expect(ofAnn(kind, content)).toBe(key);
  });
});

describe('the order by nothing', () => {
  it('gives each update a key of its own, whatever it holds', () => {
    const updates = [...kinds, ...unknownKinds].map(([kind, , content], n) => ({
      update_id: n,
      [kind]: content,
    }));
    expect(new Set(updates.map((update) => orderKey(update, 'none'))).size).toBe(updates.length);
    expect(orderKey({ update_id: 7, message: inGroup }, 'none')).toBe('message:7');
  });
});

describe('keys', () => {
  it('of queries, chats and users never meet', () => {
    const id = fc.integer({ min: 1, max: 4 });
    const update = fc.record({
      kind: fc.constantFrom('inline_query', 'shipping_query', 'pre_checkout_query', 'message', 'poll_answer'),
      id,
      chat: id,
      user: id,
    });
    fc.assert(
      fc.property(fc.array(update), fc.constantFrom('chat', 'user'), (updates, order) => {
        /** What has to be handled in order, as a person would say it. */
        const told = updates.map(({ kind, id, chat, user }) => {
          if (kind.endsWith('_query')) return `${kind} ${id}`;
          if (kind === 'poll_answer') return `person ${user}`;
          return order === 'chat' || chat === user ? `person ${chat}` : `${user} in ${chat}`;
        });
        const keys = updates.map(({ kind, id, chat, user }) =>
          orderKey(
            {
              update_id: 1,
              [kind]: {
                id: String(id),
                [kind === 'poll_answer' ? 'user' : 'from']: { id: user },
                ...(kind === 'message' && { chat: { id: chat } }),
              },
            },
            order,
          ),
        );
        const pairs = new Set(keys.map((key, n) => `${key} = ${told[n]}`));
        expect(pairs.size).toBe(new Set(keys).size);
        expect(pairs.size).toBe(new Set(told).size);
      }),
    );
  });
});

describe('the album of an update', () => {
  it.each(['message', 'channel_post', 'business_message', 'edited_message'])('of the kind %s', (kind) => {
    const [one, two, other, alone] = [
      { ...inGroup, media_group_id: 'g' },
      { ...inGroup, message_id: 6, media_group_id: 'g' },
      { ...inGroup, media_group_id: 'h' },
      inGroup,
    ].map((message) => albumOf({ update_id: 1, [kind]: message }));
    expect(one).toEqual(expect.any(String));
    expect(two).toBe(one);
    expect(other).not.toBe(one);
    expect(alone).toBeUndefined();
  });

  it('keeps an edit behind the message that it edits, and chats apart', () => {
    const content = { ...inGroup, media_group_id: 'g' };
    const albums = [
      { message: content },
      { edited_message: content },
      { message: { ...content, chat: annsChat } },
    ].map((update) => albumOf({ update_id: 1, ...update }));
    expect(new Set(albums).size).toBe(3);
  });
});

describe("a bot's own rule of order", () => {
  const update = { update_id: 1, message: inGroup } as never;

  it('decides, or leaves it to the setting', () => {
    const failed = jest.fn();
    expect(guardedOrderKey(() => 'mine', failed)(update)).toBe('mine');
    expect(guardedOrderKey(() => undefined, failed)(update)).toBeUndefined();
    expect(failed).not.toHaveBeenCalled();
  });

  it.each<[string, unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('no chat');
      },
      'no chat',
    ],
    ['returns a number', () => 7, 'orderKey returned a number, not a string or undefined'],
    ['returns null', () => null, 'orderKey returned null, not a string or undefined'],
    ['returns an empty text', () => '', 'orderKey returned an empty string, not a string or undefined'],
    [
      'returns a promise, even one that is rejected',
      async () => {
        throw new Error('no');
      },
      'orderKey returned a promise, not a string or undefined',
    ],
    ['is none', 'order:', 'orderKey is a string, not a function'],
  ])('that %s is told once, and decides nothing', async (_, rule, message) => {
    const failed = jest.fn();
    const guarded = guardedOrderKey(rule, failed);
    expect([guarded(update), guarded(update)]).toEqual([undefined, undefined]);
    expect(failed.mock.calls).toEqual([[expect.objectContaining({ message })]]);
    await new Promise((resolve) => setImmediate(resolve));
  });
});
