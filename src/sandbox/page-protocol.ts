/**
 * What the server tells the page: one `snapshot` event with everything, then `changes` events with what is new. Times are
 * milliseconds of the server's clock, of which `nowMs` is the present one.
 *
 * Types only: the server is compiled for Node and the page for browsers, and both import this file.
 */
import type { BotProcessState, LogLine } from './bot-process.js';
import type { UpdateRecord } from './state/update-record.js';

interface Person {
  readonly id: number;
  readonly name: string;
}

export interface BotCommandView {
  readonly command: string;
  readonly description: string;
}

export interface ChatView {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  /** Those who can write in the chat. */
  readonly people: readonly Person[];
  /** Whether the person of a private chat has blocked the bot. */
  readonly isBlocked: boolean;
  /** The reply keyboard, its removal, or the request for a reply. */
  readonly replyMarkup?: object | undefined;
  /** What the bot shows to be doing, such as `typing`. */
  readonly action?: { readonly name: string; readonly atMs: number } | undefined;
  readonly commands: readonly BotCommandView[];
}

export interface MessageView {
  readonly chat: number;
  readonly id: number;
  /** The message in the format of the Bot API. */
  readonly message: Readonly<Record<string, unknown>>;
  /** The emoji that the bot and people have put below the message. */
  readonly reactions: readonly { readonly emoji: string; readonly by: string }[];
  /** The numbers of the options that each person has chosen, if the message is a poll. */
  readonly votes?: readonly { readonly person: number; readonly options: readonly number[] }[] | undefined;
}

/** A press of a button, and the bot's answer to it. */
export interface PressView {
  readonly id: string;
  readonly updateId?: number | undefined;
  readonly answer?: { readonly text: string; readonly alert: boolean; readonly url: string } | undefined;
}

/** What a person may send in answer to an inline query. */
export interface InlineResultView {
  readonly id: string;
  /** The type of the result, such as `article` or `photo`. */
  readonly type: string;
  readonly title: string;
  readonly description: string;
}

/** The bot's answer to an inline query. */
export interface InlineAnswerView {
  /** The id of the query. */
  readonly id: string;
  readonly results: readonly InlineResultView[];
  /** What to ask for more results with; empty if there are no more. */
  readonly nextOffset: string;
}

export interface CallView {
  readonly number: number;
  readonly atMs: number;
  readonly method: string;
  /** JSON, cut where it is very long. */
  readonly parameters: string;
  readonly fault?: string | undefined;
  readonly status?: number | undefined;
  readonly answeredAtMs?: number | undefined;
  /** JSON, cut where it is very long. Only known of calls that end while a page is open. */
  readonly response?: string | undefined;
}

export interface BotView {
  readonly id: number;
  readonly name: string;
  readonly username: string;
  readonly isPolling: boolean;
  /** When the newest poll came, and its number among all calls. */
  readonly lastPoll?: { readonly atMs: number; readonly call: number } | undefined;
  readonly lastCallAtMs?: number | undefined;
  /** The kind of fault by which the newest call has failed. */
  readonly lastFault?: string | undefined;
  readonly polls: number;
  readonly conflicts: number;
  readonly queued: number;
  readonly nextUpdateId: number;
  readonly confirmedOffset?: number | undefined;
  readonly webhookUrl: string;
  readonly allowedUpdates?: readonly string[] | undefined;
}

export interface FaultView {
  readonly id: number;
  readonly rule: Readonly<Record<string, unknown>> & { readonly kind: string };
  readonly hits: number;
  /** When the fault ends by itself. */
  readonly endsAtMs?: number | undefined;
}

export interface FaultFieldView {
  readonly name: string;
  readonly type: 'number' | 'text' | 'boolean';
  readonly required: boolean;
  /** What the value has to be, in words that follow "must be". */
  readonly words: string;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export interface FaultKindView {
  readonly kind: string;
  readonly help: string;
  readonly fields: readonly FaultFieldView[];
}

/** The content of both events: what is left out has not changed. */
export interface News {
  readonly nowMs: number;
  /** The base URL of the server, and the command that connects a bot; only in a snapshot. */
  readonly server?: { readonly apiRoot: string; readonly connect: string };
  /** All bots that the server knows, of which the page shows `bot`. */
  readonly bots?: readonly { readonly id: number; readonly username: string }[];
  readonly bot?: BotView;
  readonly chats?: readonly ChatView[];
  readonly messages?: readonly MessageView[];
  readonly deleted?: readonly { readonly chat: number; readonly id: number }[];
  readonly updates?: readonly UpdateRecord[];
  readonly presses?: readonly PressView[];
  readonly inlineAnswers?: readonly InlineAnswerView[];
  readonly calls?: readonly CallView[];
  readonly faultKinds?: readonly FaultKindView[];
  readonly faults?: readonly FaultView[];
  readonly process?: BotProcessState;
  /** The newest lines of the bot's log, oldest first. */
  readonly log?: readonly LogLine[];
}
