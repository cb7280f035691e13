import { describe, expect, it } from '@jest/globals';
import { updateKinds } from '../../src/sandbox/update-kinds.js';
import { parseUpdates } from '../../src/sandbox/update-parser.js';
import { openTestSandbox } from './test-sandbox.js';

const ada = { id: 7, is_bot: false, first_name: 'Ada' };
const message = { message_id: 1, date: 1, chat: { id: 7, type: 'private' }, from: ada, text: 'x' };

describe('a raw update', () => {
  it('is taken as it is', () => {
    const updates = [
      { message },
      { update_id: 5, callback_query: { id: '1', from: ada, chat_instance: '2' } },
    ];
    expect(parseUpdates(updates)).toEqual(updates);
  });

  it.each([
    [5, 'an update must be an object'],
    [{}, 'an update needs one kind'],
    [{ update_id: 5 }, 'an update needs one kind'],
    [{ message, poll: {} }, 'an update needs one kind, and has message, poll'],
    [{ mesage: message }, 'there is no kind of update mesage; expected one of message, edited_message'],
    [{ toString: message }, 'there is no kind of update toString'],
    [{ message: 5 }, 'message must be an object'],
    [{ message: {} }, 'message needs message_id'],
    [{ message: { ...message, date: '1' } }, 'message.date must be a number, not "1"'],
    [{ message: { ...message, chat: 7 } }, 'message.chat must be an object'],
    [{ message: { ...message, chat: { id: '7' } } }, 'message.chat.id must be a number'],
    [{ chat_member: {} }, 'chat_member needs chat'],
    [{ callback_query: { id: '1', from: ada } }, 'callback_query needs chat_instance'],
    [{ update_id: 1.5, message }, 'update_id must be a whole number'],
    [{ update_id: 0, message }, 'update_id must be a whole number'],
  ])('is refused with the reason and its place: %j', (update, words) => {
    const parse = () => parseUpdates([{ message }, update]);
    expect(parse).toThrow(RangeError);
    expect(parse).toThrow(`updates[1]: ${words}`);
  });

  it.each(updateKinds)('of the kind %s can be asked for', async (kind) => {
    const { call, sandbox } = await openTestSandbox();
    await call('getUpdates', { allowed_updates: [kind] });
    expect(sandbox.state().allowedUpdates).toEqual([kind]);
    expect(sandbox.addUpdates([{ [kind]: {} }])).toEqual([100]);
  });

  it('without a kind does not get into the queue on any way', async () => {
    const { call, sandbox } = await openTestSandbox();
    expect(() => sandbox.addUpdates([{}])).toThrow('needs one kind');
    expect(() => sandbox.addUpdates([{ update_id: 7 }])).toThrow('needs one kind');
    sandbox.say('x');
    expect((await call('getUpdates')).result).toHaveLength(1);
  });
});
