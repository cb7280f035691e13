/** A person in a chat with the bot: says, presses, uploads, and hears what the bot writes there. */
import { isObject } from '../../json.js';
import { editText, isIn, react as reactTo } from '../acts.js';
import type { Message, User } from '../message.js';
import { plainText, textFields } from '../text/formatted-text.js';
import { type Expected, expectedInWords, matches } from './expected.js';
import { LastAct } from './last-act.js';
import { missed } from './missed.js';
import { Presses } from './presses.js';
import { misuse, SandboxError, type SandboxErrorCode } from './sandbox-error.js';
import { buttonRows, messageInWords, type SeenMessage, seenMessage } from './seen-message.js';
import type { Shared } from './shared.js';
import { type FileToUpload, fileNameOf, uploadContent } from './upload.js';
import type { Within } from './waits.js';

/** A message that somebody means: one that was seen, or its id. */
export type MessageRef = number | Pick<SeenMessage, 'id'>;

export class Participant {
  /** The id of the chat. */
  readonly chat: number;
  readonly #shared: Shared;
  readonly #user: () => User;
  /** The number of messages of the bot that were heard or passed over. */
  #heard = 0;
  readonly #lastAct: LastAct;
  readonly #presses: Presses;

  /** @internal */
  constructor(shared: Shared, chat: number, user: () => User) {
    this.#shared = shared;
    this.chat = chat;
    this.#user = user;
    this.#lastAct = new LastAct(shared);
    this.#presses = new Presses(shared);
  }

  /** The first name of the person. */
  get name(): string {
    return this.#user().first_name;
  }

  /** Says a text. Resolves with the message at once, before the bot has it. */
  async say(text: string, { replyTo }: { readonly replyTo?: MessageRef } = {}): Promise<SeenMessage> {
    return this.#send(
      text,
      replyTo === undefined ? undefined : { ...this.#reply(replyTo), ...textFields(plainText(text)) },
    );
  }

  /** Sends a message with any content of the Bot API, such as `{ location: { latitude: 52.4, longitude: 4.9 } }`. */
  async send(content: Readonly<Record<string, unknown>>): Promise<SeenMessage> {
    return this.#send(Object.keys(content)[0] ?? 'message', content);
  }

  /** Uploads a file, which the bot can download: `upload({ photo: bytes, caption: 'Look' })`. */
  async upload(file: FileToUpload): Promise<SeenMessage> {
    return this.#send(fileNameOf(file), uploadContent(this.#shared.account, file));
  }

  /**
   * Presses a button by the text on it, or its callback data: the one in the newest message that has it, else on the
   * keyboard below the chat. Waits until there is one, and for the bot's answer to the press. If the person has pressed that
   * message or keyboard before and it is still the same, waits for a newer or changed one, and presses the old one again
   * only when the bot has settled without. With `message`, presses that message in any case.
   *
   * @returns the text that the person is shown for a moment (of `answerCallbackQuery`); empty for an answer without one, and
   *   for a button of the keyboard, which says its text or sends what it asks for
   * @throws SandboxError NO_BUTTON, which names the buttons that there are; NOT_ANSWERED if the bot leaves the press
   *   unanswered, which a person sees as a button at work
   */
  async press(
    button: string,
    { message, ...within }: Within & { readonly message?: MessageRef } = {},
  ): Promise<string> {
    const { account, waits } = this.#shared;
    const named = { button, message: message === undefined ? undefined : idOf(message) };
    let notYet = '';
    const pressed = await waits.until(
      () => {
        const result = this.#presses.press({ chat: this.chat, fromId: this.#user().id, ...named });
        if (!('notYet' in result)) return result;
        notYet = result.notYet;
        return undefined;
      },
      within,
      (limitMs) => this.#overdue('NO_BUTTON', `${notYet} (waited ${limitMs} ms)`),
    );
    if ('says' in pressed) {
      await this.say(pressed.says);
      return '';
    }
    this.#lastAct.is('callback_query', pressed.updateId);
    const { updateId } = pressed;
    const query = () => account.queries.list().findLast((known) => known.updateId === updateId);
    if (!query()) return '';
    return waits.until(
      () => {
        const answer = query()?.answer;
        return answer && `${answer['text'] ?? ''}`;
      },
      within,
      (limitMs) =>
        this.#overdue(
          'NOT_ANSWERED',
          `The bot has not answered the press of ${JSON.stringify(button)} within ${limitMs} ms`,
        ),
    );
  }

  /** Changes the text of a message of the person. */
  async edit(message: MessageRef, text: string): Promise<void> {
    const { account } = this.#shared;
    this.#mayAct();
    const edited = { chat: this.chat, message: idOf(message), text };
    const updateId = misuse(
      () => editText(account, edited),
      'edit a message that the person has sent, which say() resolves with',
    );
    this.#lastAct.is('edited_message', updateId);
  }

  /** Reacts with an emoji to a message, by default the newest; undefined takes the reaction back. */
  async react(emoji: string | undefined, message?: MessageRef): Promise<void> {
    const { account, server } = this.#shared;
    this.#mayAct();
    const id = message === undefined ? account.messages.in(this.chat).at(-1)?.message_id : idOf(message);
    if (id === undefined || !account.messages.find(this.chat, id))
      throw new SandboxError('MISUSED', `There is no message to react to in chat ${this.chat}.`, {
        nextStep: 'hear or say the message first, and react to that',
      });
    const updateId = reactTo(account, { chat: this.chat, message: id, emoji, from: this.#user() });
    server.changes.tell({ kind: 'message', bot: account.id, chat: this.chat, id });
    this.#lastAct.is('message_reaction', updateId);
  }

  /** Votes in the newest poll for one or several options, by their texts. None takes the vote back. */
  async vote(...options: readonly string[]): Promise<void> {
    const { server } = this.#shared;
    const poll = this.messages().findLast(({ raw }) => raw['poll'] !== undefined);
    const texts = pollOptions(poll?.raw);
    const chosen = options.map((option) => texts.indexOf(option));
    if (!poll || chosen.includes(-1))
      throw new SandboxError(
        'MISUSED',
        `There is no poll with ${options.join(', ')} in chat ${this.chat}; ${texts.length > 0 ? `the newest one has ${texts.join(', ')}` : 'there is none at all'}.`,
        { nextStep: 'hear the poll first, with hears(), and vote for the texts of its options' },
      );
    const cast = { chat: this.chat, message: poll.id, options: chosen, fromId: this.#user().id };
    const [updateId] = misuse(
      () => server.vote(cast),
      'vote as the poll allows: while it is open, for one option unless it takes several, and once in a quiz',
    );
    this.#lastAct.is('poll', updateId);
  }

  /**
   * Resolves with the oldest message of the bot that is as expected, among those that the person has not heard yet; without
   * an expectation with the very next one. Those before it are passed over. An edit counts as a message of its own.
   *
   * @throws SandboxError NOT_HEARD, which tells what the bot has done instead
   */
  async hears(expected?: Expected, within: Within = {}): Promise<SeenMessage> {
    return this.#shared.waits.until(
      () => {
        const list = this.#shared.heard.in(this.chat);
        const index = list.findIndex((message, at) => at >= this.#heard && matches(message, expected));
        if (index < 0) return undefined;
        this.#heard = index + 1;
        return list[index];
      },
      within,
      (limitMs) => this.#notHeard(expected, limitMs),
    );
  }

  /**
   * Resolves when the bot has settled, as `sandbox.settled()` says, and has written nothing that the person has not heard.
   *
   * @throws SandboxError HEARD if it has, NOT_SETTLED
   */
  async hearsNothing(within: Within = {}): Promise<void> {
    await this.#shared.settled(within);
    const unheard = this.#unheard();
    if (unheard.length > 0)
      throw new SandboxError('HEARD', `${this.name} has heard ${unheard.map(messageInWords).join(', ')}.`);
  }

  /** Passes over what the bot has written so far. @internal */
  passOver(): void {
    this.#heard = this.#shared.heard.in(this.chat).length;
  }

  /** The messages of the chat as they are now, of everybody, oldest first. */
  messages(): readonly SeenMessage[] {
    const { account } = this.#shared;
    return account.messages.in(this.chat).map((message) => seenMessage(account, message));
  }

  /** The texts on the keyboard below the chat, row by row. */
  get keyboard(): readonly (readonly string[])[] {
    return buttonRows(this.#shared.account.chats.details(this.chat).replyMarkup, 'keyboard');
  }

  /** The commands that the person is shown in the chat, without their slash. */
  get commands(): readonly string[] {
    return this.#shared.server.commands(this.chat, this.#user().id).map(({ command }) => command);
  }

  #send(name: string, content: Readonly<Record<string, unknown>> | undefined): SeenMessage {
    const { server, account } = this.#shared;
    this.#mayAct();
    const [updateId] = server.say({
      chat: this.chat,
      fromId: this.#user().id,
      text: name,
      ...(content && { content }),
    });
    this.#lastAct.is('message', updateId);
    const message = account.messages.in(this.chat).at(-1);
    if (!message) throw new Error('a message that was said is in its chat');
    return seenMessage(account, message);
  }

  #reply(to: MessageRef): object {
    const original = this.#shared.account.messages.find(this.chat, idOf(to));
    if (!original)
      throw new SandboxError('MISUSED', `There is no message ${idOf(to)} in chat ${this.chat}.`, {
        nextStep: 'reply to a message of messages(), by itself or its id',
      });
    return { reply_to_message: { ...original, reply_to_message: undefined } };
  }

  /** @throws SandboxError MISUSED for somebody who cannot write here */
  #mayAct(): void {
    const { account } = this.#shared;
    if (this.chat > 0 && account.members.refusal(this.chat, 'private') !== undefined)
      throw new SandboxError('MISUSED', `${this.name} has blocked the bot.`, {
        nextStep: 'end that with unblock(), as Telegram asks people to',
      });
    if (this.chat < 0 && !isIn(account, this.chat, this.#user()))
      throw new SandboxError('MISUSED', `${this.name} is not in the group ${this.chat}.`, {
        nextStep: 'let them join first, with group.add(person)',
      });
  }

  #notHeard(expected: Expected | undefined, limitMs: number): SandboxError {
    const passed = this.#shared.heard.in(this.chat).slice(0, this.#heard);
    const found = missed(this.#shared, { expected, chat: this.chat, passed });
    const what = `${this.name} has not heard ${expectedInWords(expected)} within ${limitMs} ms`;
    return this.#overdue('NOT_HEARD', found ? `${what}. ${found.what}` : what, found?.nextStep);
  }

  #overdue(code: SandboxErrorCode, what: string, fallbackStep?: string): SandboxError {
    return this.#lastAct.overdue(code, what, { unheard: this.#unheard(), fallbackStep });
  }

  #unheard(): readonly SeenMessage[] {
    return this.#shared.heard.in(this.chat).slice(this.#heard);
  }
}

const idOf = (message: MessageRef): number => (typeof message === 'number' ? message : message.id);

function pollOptions(message: Message | undefined): readonly string[] {
  const poll = message?.['poll'];
  const options = isObject(poll) ? poll['options'] : undefined;
  if (!Array.isArray(options)) return [];
  return options.map((option: unknown) => (isObject(option) ? `${option['text']}` : ''));
}
