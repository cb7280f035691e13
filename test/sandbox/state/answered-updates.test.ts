import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from '../test-sandbox.js';

/** A chat whose bot gets each message as soon as it is said. */
async function openChat() {
  const { sandbox, call, clock } = await openTestSandbox();
  const say = async (text: string) => {
    const [id] = sandbox.say({ text });
    await call('getUpdates', { offset: -1 });
    return id;
  };
  const answer = (text: string, more: object = {}) => call('sendMessage', { chat_id: 1, text, ...more });
  /** How many answers each update has. */
  const answers = () => sandbox.updates().map(({ answerCount }) => answerCount);
  return { sandbox, call, clock, say, answer, answers };
}

describe('an answer without a word of what it answers', () => {
  it('is one to the oldest message without any, while that is not long ago', async () => {
    const { say, answer, answers, clock } = await openChat();
    await say('first');
    await clock.advance(4_000);
    await say('second');
    await answer('one');
    expect(answers()).toEqual([1, 0]);
    await answer('two');
    expect(answers()).toEqual([1, 1]);
  });

  it('is none to a message that the bot has left without one for a while, nor are later ones', async () => {
    const { say, answer, answers, clock } = await openChat();
    await say('ignored');
    await clock.advance(6_000);
    await say('second');
    await answer('two');
    expect(answers()).toEqual([0, 1]);
    await clock.advance(1_000);
    await say('third');
    await answer('three');
    expect(answers()).toEqual([0, 1, 1]);
    await answer('three more');
    expect(answers()).toEqual([0, 1, 2]);
  });

  it('is one to the message at which the bot has typed', async () => {
    const { say, call, answer, answers } = await openChat();
    await say('first');
    await call('sendChatAction', { chat_id: 1, action: 'typing' });
    await say('second');
    await answer('one');
    expect(answers()).toEqual([2, 0]);
  });

  it('is one to an old message where it quotes it or replies to it', async () => {
    const { sandbox, say, answer, answers, clock } = await openChat();
    await say('ignored');
    await say('quoted');
    await clock.advance(60_000);
    await say('last');
    await answer('You said: quoted');
    const id = sandbox.messages(1)[0]?.message.message_id;
    await answer('late', { reply_parameters: { message_id: id } });
    expect(answers()).toEqual([1, 1, 0]);
  });
});

describe('an edit of a message that was sent through inline mode', () => {
  it('is an answer to the last update that names the message', async () => {
    const { sandbox, call } = await openTestSandbox();
    const from = { id: 5, is_bot: false, first_name: 'Ada' };
    const press = (id: string, inline_message_id: string) => ({
      callback_query: { id, from, chat_instance: '1', data: 'x', inline_message_id },
    });
    sandbox.addUpdates([press('1', 'one'), press('2', 'one'), press('3', 'other')]);
    await call('editMessageText', { inline_message_id: 'one', text: 'pressed' });
    await call('editMessageText', { inline_message_id: 'unknown', text: 'pressed' });
    expect(sandbox.updates().map(({ answers }) => answers.map(({ method }) => method))).toEqual([
      [],
      ['editMessageText'],
      [],
    ]);
  });
});
