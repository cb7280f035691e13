/**
 * What was said in one chat, and which of it a message from the bot answers.
 */
import type { Message } from './message.js';

/** One thing a person said, and what came back. */
export interface Exchange {
  /** Undefined where the bot does not listen to messages. */
  readonly updateId: number | undefined;
  readonly chat: number;
  readonly messageId: number;
  readonly text: string;
  readonly saidAtMs: number;
  /** One entry an answer. */
  readonly answers: readonly {
    readonly text: string | undefined;
    readonly atMs: number;
  }[];
}

/** An exchange that is still going on. */
export interface Said extends Exchange {
  readonly answers: { text: string | undefined; atMs: number }[];
  /** Called at each answer. */
  heard: () => void;
}

/** Lines in order, with a quick way to the first without an answer. */
class Lines {
  readonly all: Said[] = [];
  #answeredBefore = 0;

  /** The oldest unanswered one that passes the test. */
  oldestUnanswered(test: (said: Said) => boolean): Said | undefined {
    while (this.all[this.#answeredBefore]?.answers.length) this.#answeredBefore++;
    for (let index = this.#answeredBefore; index < this.all.length; index++) {
      const said = this.all[index];
      if (said && said.answers.length === 0 && test(said)) return said;
    }
    return undefined;
  }

  newest(test: (said: Said) => boolean): Said | undefined {
    return this.all.findLast(test);
  }
}

export class SaidLines {
  readonly #lines = new Lines();
  readonly #byMessageId = new Map<number, Said>();
  readonly #byLastWord = new Map<string, Lines>();

  get all(): readonly Said[] {
    return this.#lines.all;
  }

  add(said: Said): void {
    this.#lines.all.push(said);
    this.#byMessageId.set(said.messageId, said);
    const word = words(said.text).at(-1);
    if (word === undefined) return;
    const lines = this.#byLastWord.get(word) ?? new Lines();
    lines.all.push(said);
    this.#byLastWord.set(word, lines);
  }

  /**
   * The line that a message answers: the one it replies to; else one that it quotes, the oldest unanswered first;
   * else the oldest unanswered; else, being one answer too many, the newest.
   */
  answeredBy(message: Message): Said | undefined {
    return (
      this.#repliedTo(message) ??
      this.#quotedBy(message.text ?? '') ??
      this.#lines.oldestUnanswered(() => true) ??
      this.#lines.all.at(-1)
    );
  }

  #repliedTo({ reply_to_message: original }: Message): Said | undefined {
    return original && this.#byMessageId.get(original.message_id);
  }

  #quotedBy(answer: string): Said | undefined {
    const quoted = ({ text }: Said) => answer.includes(text);
    const candidates = [...new Set(words(answer))].flatMap((word) => this.#byLastWord.get(word) ?? []);
    for (const lines of candidates) {
      const said = lines.oldestUnanswered(quoted) ?? lines.newest(quoted);
      if (said) return said;
    }
    return undefined;
  }
}

const words = (text: string): readonly string[] => text.match(/[\p{L}\p{N}_]+/gu) ?? [];
