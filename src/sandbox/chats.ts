/**
 * Scripted people: they write to the bot, wait for its answer, and remember what was answered, how fast and how often.
 */
import type { Clock } from '../clock.js';
import type { BotAccount } from './bot-account.js';
import { type Chat, chat, type Message, person, textContent, type User, unixSeconds } from './message.js';
import { type Exchange, type Said, SaidLines } from './said-lines.js';

export interface Line {
  /** The chat's id; its private chat with person 1 unless given. Negative ids are groups. */
  readonly chat?: number;
  /** `{n}` stands for the running number where `count` is given. */
  readonly text: string;
  /** Says it so many times. Default 1. */
  readonly count?: number;
  /** The name of the one who says it. */
  readonly from?: string;
  /** The id of the one who says it; default: the chat's own id. */
  readonly fromId?: number;
}

export interface Conversation {
  readonly chat: number;
  readonly from?: string;
  /** What is said, one line after the other, each once the one before was answered or given up. */
  readonly say: readonly string[];
  /** Says all of it so many times. Default 1. */
  readonly rounds?: number;
  /** How long an answer is waited for. Default 60,000. */
  readonly patienceMs?: number;
  /** The time between an answer and the next line. Default 0. */
  readonly pauseMs?: number;
}

export interface ChatReport {
  readonly said: number;
  /** Said and answered at least once. */
  readonly answered: number;
  readonly unanswered: number;
  /** Said and answered more than once. */
  readonly answeredTwice: number;
  /** From saying to the first answer; undefined before there is one. */
  readonly latencyMs:
    | {
        readonly median: number;
        readonly p99: number;
        readonly max: number;
      }
    | undefined;
}

export class Chats {
  readonly #clock: Clock;
  readonly #account: BotAccount;
  readonly #said = new Map<number, SaidLines>();
  #unanswered = 0;

  constructor({ clock, account }: { clock: Clock; account: BotAccount }) {
    this.#clock = clock;
    this.#account = account;
  }

  /** Writes to the bot; the ids of the updates that make it known. */
  say(line: Line): number[] {
    const { count = 1 } = line;
    const said = Array.from({ length: count }, (_, index) =>
      this.#write(line, line.text.replaceAll('{n}', `${index + 1}`)),
    );
    return said.flatMap(({ updateId }) => updateId ?? []);
  }

  /** Writes once, and waits for the first answer. Rejects with the signal's reason when it aborts first. */
  async ask(line: Omit<Line, 'count'>, signal?: AbortSignal): Promise<Exchange> {
    const said = this.#write(line, line.text);
    await firstAnswer(said, signal);
    return copy(said);
  }

  /** Holds a conversation, to its end or until the signal aborts. A line nobody answers in time is passed over. */
  async converse(
    { chat: id, from, say, rounds = 1, patienceMs = 60_000, pauseMs = 0 }: Conversation,
    signal: AbortSignal,
  ): Promise<void> {
    const lines = Array.from({ length: rounds }, () => say).flat();
    for (const text of lines) {
      if (signal.aborted) return;
      const patience = new AbortController();
      const cancel = this.#clock.after(patienceMs, () => patience.abort());
      try {
        const line = from === undefined ? { chat: id, text } : { chat: id, text, from };
        await this.ask(line, AbortSignal.any([signal, patience.signal]));
        if (pauseMs > 0) await this.#clock.sleep(pauseMs, signal);
      } catch (error) {
        if (!signal.aborted && !patience.signal.aborted) throw error;
      } finally {
        cancel();
      }
    }
  }

  /** Takes note of a message from the bot. */
  heard(message: Message): void {
    const said = this.#said.get(message.chat.id)?.answeredBy(message);
    if (!said) return;
    if (said.answers.length === 0) this.#unanswered--;
    said.answers.push({ text: message.text, atMs: this.#clock.now() });
    said.heard();
  }

  /** How much was said that has no answer; cheap to ask, however much it is. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** All that was said in one chat, or in all, in order. */
  exchanges(chatId?: number): readonly Exchange[] {
    const chats = chatId === undefined ? [...this.#said.values()] : [this.#said.get(chatId)];
    return chats.flatMap((lines) => lines?.all ?? []).map(copy);
  }

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

  #write({ chat: chatId = 1, from, fromId = chatId }: Omit<Line, 'text'>, text: string): Said {
    const sender: User = person(fromId, from);
    const place: Chat = chat(chatId, from);
    const message: Message = {
      message_id: this.#account.nextMessageId(),
      from: sender,
      chat: place,
      date: unixSeconds(),
      ...textContent(text),
    };
    this.#account.remember(message);
    const said: Said = {
      updateId: this.#account.add([{ message }])[0],
      chat: chatId,
      messageId: message.message_id,
      text,
      saidAtMs: this.#clock.now(),
      answers: [],
      heard: () => {},
    };
    const lines = this.#said.get(chatId) ?? new SaidLines();
    lines.add(said);
    this.#unanswered++;
    this.#said.set(chatId, lines);
    return said;
  }
}

const copy = ({ heard: _heard, ...exchange }: Said): Exchange => ({
  ...exchange,
  answers: [...exchange.answers],
});

function firstAnswer(said: Said, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    said.heard = () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    };
  });
}
