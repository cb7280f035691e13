/** The transcript of one chat: a person's messages, and the bot's answers to each of them. */
import type { Message } from './message.js';

/** A message of a person, and the bot's answers to it. */
export interface Exchange {
  /** Undefined if the bot does not get updates of this kind. */
  readonly updateId: number | undefined;
  readonly chat: number;
  readonly messageId: number;
  readonly text: string;
  readonly saidAtMs: number;
  readonly answers: readonly { readonly text: string | undefined; readonly atMs: number }[];
}

/** An exchange that can still get answers. */
export interface OpenExchange extends Exchange {
  readonly answers: { text: string | undefined; atMs: number }[];
  /** Called for each answer. */
  onAnswer: () => void;
}

/** Exchanges in order, with fast access to the oldest one without an answer. */
class ExchangeList {
  readonly all: OpenExchange[] = [];
  #answeredBefore = 0;

  oldestUnanswered(test: (exchange: OpenExchange) => boolean): OpenExchange | undefined {
    while (this.all[this.#answeredBefore]?.answers.length) this.#answeredBefore++;
    for (let index = this.#answeredBefore; index < this.all.length; index++) {
      const exchange = this.all[index];
      if (exchange && exchange.answers.length === 0 && test(exchange)) return exchange;
    }
    return undefined;
  }
}

/** The exchange that a message of the bot answers. */
export interface Answered {
  readonly exchange: OpenExchange;
  /** Whether nothing in the message says so: it is only the one whose turn it is. */
  readonly isGuess: boolean;
}

export class Transcript {
  readonly #exchanges = new ExchangeList();
  readonly #byMessageId = new Map<number, OpenExchange>();
  readonly #byLastWord = new Map<string, ExchangeList>();

  get exchanges(): readonly OpenExchange[] {
    return this.#exchanges.all;
  }

  add(exchange: OpenExchange): void {
    this.#exchanges.all.push(exchange);
    this.#byMessageId.set(exchange.messageId, exchange);
    const word = words(exchange.text).at(-1);
    if (word === undefined) return;
    const list = this.#byLastWord.get(word) ?? new ExchangeList();
    list.all.push(exchange);
    this.#byLastWord.set(word, list);
  }

  /**
   * The exchange that a message of the bot answers. In order of preference: the one that the message replies to, one
   * whose text it quotes (the oldest unanswered first), the oldest unanswered one, the newest one.
   */
  answeredBy(message: Message): Answered | undefined {
    const named = this.#repliedTo(message) ?? this.#quotedBy(message.text ?? '');
    if (named) return { exchange: named, isGuess: false };
    const exchange = this.#exchanges.oldestUnanswered(() => true) ?? this.#exchanges.all.at(-1);
    return exchange && { exchange, isGuess: true };
  }

  #repliedTo({ reply_to_message: original }: Message): OpenExchange | undefined {
    return original && this.#byMessageId.get(original.message_id);
  }

  #quotedBy(answer: string): OpenExchange | undefined {
    const isQuoted = ({ text }: OpenExchange) => answer.includes(text);
    // A quoted text's last word is in the answer, so only few exchanges have to be searched.
    const candidates = [...new Set(words(answer))].flatMap((word) => this.#byLastWord.get(word) ?? []);
    for (const list of candidates) {
      const exchange = list.oldestUnanswered(isQuoted) ?? list.all.findLast(isQuoted);
      if (exchange) return exchange;
    }
    return undefined;
  }
}

const words = (text: string): readonly string[] => text.match(/[\p{L}\p{N}_]+/gu) ?? [];
