import { describe, expect, it } from '@jest/globals';
import { BotAccount } from '../../src/sandbox/bot-account.js';
import { Chats } from '../../src/sandbox/chats.js';
import { chat, unixSeconds } from '../../src/sandbox/message.js';
import { FakeClock, settle } from '../support/fake-clock.js';

function chats() {
  const clock = new FakeClock();
  const account = new BotAccount({ token: '1:x', clock, nextUpdateId: 100 });
  const people = new Chats({ clock, account, closing: new AbortController().signal });
  const answer = (text: string | undefined, { to, chat: id = 1 }: { to?: number; chat?: number } = {}) =>
    people.receive({
      message_id: account.messages.nextId(),
      from: account.user,
      chat: chat(id),
      date: unixSeconds(),
      ...(text !== undefined && { text }),
      ...(to !== undefined && { reply_to_message: { message_id: to, chat: chat(id), date: unixSeconds() } }),
    });
  const answersOf = (id?: number) =>
    people.exchanges(id).map(({ answers }) => answers.map(({ text }) => text));
  return { clock, account, people, answer, answersOf };
}

describe('an answer belongs to', () => {
  it('the message it replies to', () => {
    const { people, answer, answersOf } = chats();
    people.say({ text: 'same', count: 3 });
    answer('two', { to: 2 });
    expect(answersOf()).toEqual([[], ['two'], []]);
  });

  it('the message it quotes, the oldest unanswered one first', () => {
    const { people, answer, answersOf } = chats();
    people.say({ text: 'line {n}', count: 12 });
    people.say({ text: 'line 1' });
    for (const text of ['echo: line 12', 'echo: "line 1"', 'echo: line 1!', 'line 1?']) answer(text);
    expect(answersOf().map((answers) => answers.length)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
  });

  it('the oldest unanswered message, else the newest', () => {
    const { people, answer, answersOf } = chats();
    people.say({ text: 'question {n}', count: 2 });
    for (const text of ['yes', undefined, 'really']) answer(text);
    expect(answersOf()).toEqual([['yes'], [undefined, 'really']]);
  });

  it('a message in the same chat', () => {
    const { people, answer, answersOf } = chats();
    people.say({ chat: 1, text: 'here' });
    people.say({ chat: 2, text: 'there' });
    answer('there', { chat: 1 });
    answer('unasked', { chat: 3 });
    expect(answersOf()).toEqual([['there'], []]);
    expect(answersOf(2)).toEqual([[]]);
  });
});

describe('the report', () => {
  it('counts messages: all, answered, answered twice and unanswered', async () => {
    const { clock, people, answer } = chats();
    people.say({ text: 'line {n}', count: 4 });
    for (const ms of [10, 20, 30]) {
      await clock.advance(ms);
      answer(`line ${ms / 10}`);
    }
    answer('line 2');
    expect(people.unanswered).toBe(people.report().unanswered);
    expect(people.report()).toEqual({
      said: 4,
      answered: 3,
      unanswered: 1,
      answeredTwice: 1,
      latencyMs: { median: 30, p99: 60, max: 60 },
    });
    expect(people.report(2)).toMatchObject({ said: 0, latencyMs: undefined });
  });
});

describe('a conversation', () => {
  it('sends each text after the answer to the one before and a pause', async () => {
    const { clock, people, answer, answersOf } = chats();
    const talk = people.converse({ chat: 1, from: 'Ada', say: ['one', 'two'], rounds: 2, pauseMs: 100 });
    for (const count of [1, 2, 3, 4]) {
      await clock.advance(99);
      expect(people.report()).toMatchObject({ said: count - (count > 1 ? 1 : 0) });
      await clock.advance(1);
      expect(people.report()).toMatchObject({ said: count });
      answer(`answer ${count}`);
      await settle();
    }
    await clock.advance(100);
    await talk;
    expect(answersOf()).toEqual([['answer 1'], ['answer 2'], ['answer 3'], ['answer 4']]);
    expect(clock.pending).toBe(0);
  });

  it('goes on after a text that is not answered in time', async () => {
    const { clock, people } = chats();
    const talk = people.converse({ chat: 1, say: ['one', 'two'], patienceMs: 1_000 });
    await clock.advance(1_000);
    expect(people.unanswered).toBe(2);
    expect(people.report()).toMatchObject({ said: 2, unanswered: 2 });
    await clock.advance(1_000);
    await talk;
  });

  it('ends when its signal aborts', async () => {
    const { clock, people } = chats();
    const stop = new AbortController();
    const talk = people.converse({ chat: 1, say: ['one', 'two'] }, stop.signal);
    stop.abort();
    await talk;
    expect(people.report().said).toBe(1);
    expect(clock.pending).toBe(0);
  });
});

it('resolves a question with its first answer', async () => {
  const { clock, people, answer } = chats();
  const asked = people.ask({ chat: 1, text: 'well?' });
  await clock.advance(5);
  answer('well.');
  expect(await asked).toEqual({
    updateId: 100,
    chat: 1,
    messageId: 1,
    text: 'well?',
    saidAtMs: 0,
    answers: [{ text: 'well.', atMs: 5 }],
  });
  const stop = new AbortController();
  const unanswered = people.ask({ text: 'hello?' }, stop.signal);
  stop.abort(new Error('enough'));
  await expect(unanswered).rejects.toThrow('enough');
});
