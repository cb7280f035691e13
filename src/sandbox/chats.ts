/** Simulates people who write to a bot, and records the bot's answers and their latencies. */
import { onAbort } from '../abort.js';
import type { Clock } from '../clock.js';
import type { BotAccount } from './bot-account.js';
import { type Message, unixSeconds } from './message.js';
import { plainText, textFields } from './text/formatted-text.js';
import { type Exchange, type OpenExchange, Transcript } from './transcript.js';

/** A message from a person to the bot. */
export interface UserMessage {
  /** The chat's id, negative for a group. Default 1. */
  readonly chat?: number | undefined;
  /** The text. With `count`, `{n}` stands for the number of the message. */
  readonly text: string;
  /** How many times the message is sent. Default 1. */
  readonly count?: number | undefined;
  /** The person's name. */
  readonly from?: string | undefined;
  /** The person's id. Default: the chat's id. */
  readonly fromId?: number | undefined;
  /** Other fields of the message: a file in place of the text, for example, which then only names the message. */
  readonly content?: object | undefined;
}

export interface Conversation {
  readonly chat: number;
  /** The person's name. */
  readonly from?: string | undefined;
  /** The texts to send. Each is sent when the one before it has been answered or has timed out. */
  readonly say: readonly string[];
  /** How many times all texts are sent. Default 1. */
  readonly rounds?: number | undefined;
  /** How long to wait for an answer. Default 60,000. */
  readonly patienceMs?: number | undefined;
  /** The pause between an answer and the next text. Default 0. */
  readonly pauseMs?: number | undefined;
}

export interface ChatReport {
  /** The number of messages from people. */
  readonly said: number;
  /** The number of messages that were answered at least once. */
  readonly answered: number;
  readonly unanswered: number;
  /** The number of messages that were answered more than once. */
  readonly answeredTwice: number;
  /** The time from a message to its first answer. Undefined without answers. */
  readonly latencyMs: { readonly median: number; readonly p99: number; readonly max: number } | undefined;
}

export interface ChatsOptions {
  readonly clock: Clock;
  readonly account: BotAccount;
  /** Aborts when the sandbox closes. */
  readonly closing: AbortSignal;
}

export class Chats {
  readonly #options: ChatsOptions;
  readonly #transcripts = new Map<number, Transcript>();
  #unanswered = 0;

  constructor(options: ChatsOptions) {
    this.#options = options;
  }

  /** Sends a message to the bot. Returns the ids of the updates. */
  say(message: UserMessage | string): number[] {
    const { text, count = 1, ...rest } = asMessage(message);
    const exchanges = Array.from({ length: count }, (_, index) =>
      this.#send({ text: text.replaceAll('{n}', `${index + 1}`), ...rest }),
    );
    return exchanges.flatMap(({ updateId }) => updateId ?? []);
  }

  /** Sends a message and waits for the first answer. Rejects when the signal aborts or the sandbox closes. */
  ask(message: Omit<UserMessage, 'count'> | string, signal?: AbortSignal): Promise<Exchange> {
    const exchange = this.#send(asMessage(message));
    const end = this.#orClosing(signal);
    return new Promise((resolve, reject) => {
      const stopListening = onAbort(end, () => reject(end.reason));
      exchange.onAnswer = () => {
        stopListening();
        resolve(copy(exchange));
      };
    });
  }

  /** Holds a conversation. Resolves at its end, or when the signal aborts or the sandbox closes. */
  async converse(
    { chat, from, say, rounds = 1, patienceMs = 60_000, pauseMs = 0 }: Conversation,
    signal?: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#options;
    const end = this.#orClosing(signal);
    const texts = Array.from({ length: rounds }, () => say).flat();
    for (const text of texts) {
      if (end.aborted) return;
      const timeout = new AbortController();
      const cancel = clock.after(patienceMs, () => timeout.abort());
      try {
        await this.ask({ chat, text, from }, AbortSignal.any([end, timeout.signal]));
        if (pauseMs > 0) await clock.sleep(pauseMs, end);
      } catch (error) {
        if (!end.aborted && !timeout.signal.aborted) throw error;
      } finally {
        cancel();
      }
    }
  }

  /** Records a message from the bot. Returns the update that it answers, if it answers one. */
  receive(message: Message): { readonly updateId: number | undefined; readonly isGuess: boolean } {
    const answered = this.#transcripts.get(message.chat.id)?.answeredBy(message);
    if (!answered) return { updateId: undefined, isGuess: true };
    const { exchange, isGuess } = answered;
    const isFirst = exchange.answers.length === 0;
    if (isFirst) this.#unanswered--;
    exchange.answers.push({ text: message.text, atMs: this.#options.clock.now() });
    exchange.onAnswer();
    // What follows the answer may belong to what has come since then, such as the press of a button.
    return { updateId: isFirst ? exchange.updateId : undefined, isGuess };
  }

  /** The number of messages without an answer. Reading it is cheap, however many messages there are. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Returns copies of all exchanges in one chat, or in all chats. */
  exchanges(chatId?: number): readonly Exchange[] {
    const transcripts =
      chatId === undefined ? [...this.#transcripts.values()] : [this.#transcripts.get(chatId)];
    return transcripts.flatMap((transcript) => transcript?.exchanges ?? []).map(copy);
  }

  /** Returns statistics of the exchanges in one chat, or in all chats. */
  report(chatId?: number): ChatReport {
    const exchanges = this.exchanges(chatId);
    const latencies = exchanges
      .flatMap(({ saidAtMs, answers: [first] }) => (first ? [first.atMs - saidAtMs] : []))
      .sort((one, other) => one - other);
    const at = (share: number): number => latencies[Math.ceil(latencies.length * share) - 1] ?? 0;
    return {
      said: exchanges.length,
      answered: latencies.length,
      unanswered: exchanges.length - latencies.length,
      answeredTwice: exchanges.filter(({ answers }) => answers.length > 1).length,
      latencyMs: latencies.length > 0 ? { median: at(0.5), p99: at(0.99), max: at(1) } : undefined,
    };
  }

  #send({
    chat: chatId = 1,
    from,
    fromId = chatId,
    text,
    content,
  }: Omit<UserMessage, 'count'>): OpenExchange {
    const { clock, account } = this.#options;
    // In a private chat, the name is that of the chat, too.
    const author = account.chats.person(fromId, from);
    if (from !== undefined && chatId > 0) account.chats.person(chatId, from);
    const message: Message = {
      message_id: account.messages.nextId(),
      from: author,
      chat: account.chats.chat(chatId),
      date: unixSeconds(),
      ...(content ?? textFields(plainText(text))),
    };
    account.messages.store(message);
    account.members.see(chatId, author);
    const exchange: OpenExchange = {
      updateId: account.add([{ message }])[0],
      chat: chatId,
      messageId: message.message_id,
      text,
      saidAtMs: clock.now(),
      answers: [],
      onAnswer: () => {},
    };
    const transcript = this.#transcripts.get(chatId) ?? new Transcript();
    transcript.add(exchange);
    this.#transcripts.set(chatId, transcript);
    this.#unanswered++;
    return exchange;
  }

  #orClosing(signal: AbortSignal | undefined): AbortSignal {
    const { closing } = this.#options;
    return signal ? AbortSignal.any([closing, signal]) : closing;
  }
}

const asMessage = (message: UserMessage | string): UserMessage =>
  typeof message === 'string' ? { text: message } : message;

const copy = ({ onAnswer: _onAnswer, ...exchange }: OpenExchange): Exchange => ({
  ...exchange,
  answers: [...exchange.answers],
});
