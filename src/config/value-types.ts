/** The types of values of settings: how each type is parsed from text, and printed. */
import { resolve } from 'node:path';
import { parseJson } from '../json.js';
import { didYouMean } from './did-you-mean.js';
import { type Tidied, tidiedToken } from './tidy.js';

export type Parsed<T> =
  /** `doubt` is a warning: the value is usable, but probably not what was meant. */
  | { readonly value: T; readonly doubt?: string }
  /**
   * - `isOurs`: a value without the prefix is not left to the bot program, because it can only be meant for lastcall
   * - `holdsSecret`: the text may hold a password, so it is not to be quoted beside the problem
   */
  | { readonly problem: string; readonly isOurs?: true; readonly holdsSecret?: true };

export interface ValueType<T> {
  /** Completes the sentence "expected …" for people. */
  readonly expects: string;
  /** The text that a flag without a value stands for (`--drop-pending`); undefined if the flag needs a value. */
  readonly bareFlag?: string;
  /** Takes away what does not belong to a value of this type. Default: `tidied`. */
  tidy?(text: string): Tidied;
  /** Parses a text that is not blank and has no space around it. Relative paths start at `cwd`, an absolute path. */
  parse(text: string, cwd: string): Parsed<T>;
  /** Returns a text that `parse` reads as the same value. */
  print(value: T): string;
  /** Masks what is secret in a text, be it a value or not. Default: nothing is. */
  conceal?(text: string): string;
}

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
type Unit = keyof typeof unitsMs;
const isUnit = (text: string | undefined): text is Unit => text !== undefined && Object.hasOwn(unitsMs, text);

/** Node's timers wait for at most 24.8 days; a timer with a longer delay fires at once. */
const MAX_DURATION_MS = 24 * 24 * unitsMs.h;

interface DurationLimits {
  readonly leastMs: number;
  readonly mostMs?: number;
  readonly stepMs?: number;
}

/** A length of time with its unit: `30s`, `500ms`, `2m`, `1h`. The value is in milliseconds. */
export function duration({
  leastMs,
  mostMs = MAX_DURATION_MS,
  stepMs = 1,
}: DurationLimits): ValueType<number> {
  const expects = `a duration with its unit, such as 500ms, 30s, 2m or 1h${range({ leastMs, mostMs, stepMs })}`;
  return {
    expects,
    print: printDuration,
    parse(text) {
      const [, digits = '', unit] = /^(\d+)([a-z]*)$/.exec(text) ?? [];
      if (unit === '') return { problem: `the unit is missing; expected ${expects}` };
      if (!isUnit(unit)) return { problem: `expected ${expects}` };
      const value = Number(digits) * unitsMs[unit];
      if (value > MAX_DURATION_MS)
        return {
          problem: `longer than ${printDuration(MAX_DURATION_MS)}, the most that a timer can wait`,
        };
      const fits = value >= leastMs && value <= mostMs && value % stepMs === 0;
      return fits ? { value } : { problem: `expected ${expects}` };
    },
  };
}

const DAY_MS = 24 * unitsMs.h;

/** A length of time that no timer has to wait for, so that it may be of years: `30d`, `12h`. The value is in milliseconds. */
export const age: ValueType<number> = {
  expects: 'a duration with its unit, such as 12h or 30d, from 1s to 3650d',
  print: (ms) => (ms % DAY_MS === 0 ? `${ms / DAY_MS}d` : printDuration(ms)),
  parse(text) {
    const [, digits = '', unit] = /^(\d{1,12})([a-z]+)$/.exec(text) ?? [];
    const unitMs = unit === 'd' ? DAY_MS : isUnit(unit) ? unitsMs[unit] : Number.NaN;
    const value = Number(digits) * unitMs;
    return value >= unitsMs.s && value <= 3_650 * DAY_MS ? { value } : { problem: `expected ${age.expects}` };
  },
};

function range({ leastMs, mostMs, stepMs }: Required<DurationLimits>): string {
  const step = stepMs === 1 ? '' : ` in steps of ${printDuration(stepMs)}`;
  if (mostMs < MAX_DURATION_MS) return `, from ${printDuration(leastMs)} to ${printDuration(mostMs)}${step}`;
  return leastMs === 0 ? step : `, at least ${printDuration(leastMs)}${step}`;
}

/** Returns a duration as people write it: 90s, 2m, 48h; a minute and an hour as 60s and 60m. */
function printDuration(ms: number): string {
  if (ms % unitsMs.s !== 0) return `${ms}ms`;
  if (ms % unitsMs.h === 0 && ms > unitsMs.h) return `${ms / unitsMs.h}h`;
  if (ms % unitsMs.m === 0 && ms > unitsMs.m) return `${ms / unitsMs.m}m`;
  return `${ms / unitsMs.s}s`;
}

/** A whole number. */
export function integer({ least }: { readonly least: number }): ValueType<number> {
  const expects = `a whole number of at least ${least}`;
  return {
    expects,
    print: String,
    parse(text) {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= least ? { value } : { problem: `expected ${expects}` };
    },
  };
}

const yesWords = ['yes', 'true', 'on', '1'];
const noWords = ['no', 'false', 'off', '0'];

export const yesNo: ValueType<boolean> = {
  expects: 'yes or no',
  bareFlag: 'yes',
  print: (value) => (value ? 'yes' : 'no'),
  parse(text) {
    const word = text.toLowerCase();
    if (yesWords.includes(word)) return { value: true };
    if (noWords.includes(word)) return { value: false };
    return { problem: 'expected yes or no' };
  },
};

/** One word of a list, in upper or lower case. */
export function choice<const T extends string>(choices: readonly T[]): ValueType<T> {
  const expects = `one of ${choices.join(', ')}`;
  return {
    expects,
    print: (value) => value,
    parse(text) {
      const word = text.toLowerCase();
      const value = choices.find((candidate) => candidate === word);
      return value === undefined ? { problem: `expected ${expects}` } : { value };
    },
  };
}

/** The root URL of a web server: `https://host`, `http://127.0.0.1:8081/path`. Beyond loopback, http is doubtful. */
export const rootUrl: ValueType<string> = {
  expects: 'a URL such as https://api.telegram.org or http://127.0.0.1:8081',
  print: (value) => value,
  parse(text) {
    const problem = `expected ${rootUrl.expects}`;
    // Behind an unencoded "/", the rest of a password and its "@" are in the path, or the text is no URL at all.
    if (text.includes('@'))
      return {
        problem: `it holds a user name or a password, which would show up in logs (an "@" in a path is written as %40); ${problem}`,
        holdsSecret: true,
      };
    if (!URL.canParse(text)) return { problem };
    const url = new URL(text);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return { problem };
    if (url.search || url.hash) return { problem: `it has a "?" or "#" part; ${problem}` };
    if (/\/bot\d+(?::|%3a)/i.test(url.pathname))
      return { problem: `it holds a bot token, which belongs in BOT_TOKEN; ${problem}` };
    // A path ends with a slash, so that the paths of methods are added to it, and do not take its last part's place.
    const path = url.pathname.replace(/\/+$/, '');
    const value = path === '' ? url.origin : `${url.origin}${path}/`;
    return url.protocol === 'http:' && !isLoopback(url.hostname) ? { value, doubt: IN_CLEAR } : { value };
  },
};

/** The path of a file or folder. The value is absolute. */
export const path: ValueType<string> = {
  expects: 'a path, absolute or relative to the working directory',
  print: (value) => value,
  parse(text, cwd) {
    // Only a shell expands `~`. Without a shell it is the name of a folder.
    if (/^~(?:\/|$)/.test(text)) return { problem: 'only a shell expands "~"; write the path in full' };
    if (text.includes('\0')) return { problem: `expected ${path.expects}` };
    return { value: resolve(cwd, text) };
  },
};

/** A bot token. The length is not checked, because other Bot API servers may issue tokens of other lengths. */
export const token: ValueType<string> = {
  expects: 'a token as @BotFather gives it: digits, a colon, and some 35 letters, digits, "_" and "-"',
  tidy: tidiedToken,
  print: (value) => value,
  parse: (text) =>
    /^\d+:[\w-]+$/.test(text)
      ? { value: text }
      : { problem: `it does not look like a token; expected ${token.expects}` },
};

/** The kinds of updates in version 9 of the Bot API. A server ignores the names that it does not know. */
const knownUpdateKinds = [
  'message',
  'edited_message',
  'channel_post',
  'edited_channel_post',
  'business_connection',
  'business_message',
  'edited_business_message',
  'deleted_business_messages',
  'message_reaction',
  'message_reaction_count',
  'inline_query',
  'chosen_inline_result',
  'callback_query',
  'shipping_query',
  'pre_checkout_query',
  'purchased_paid_media',
  'poll',
  'poll_answer',
  'my_chat_member',
  'chat_member',
  'chat_join_request',
  'chat_boost',
  'removed_chat_boost',
];

/** Kinds of updates, as a JSON array or separated by commas. `[]` is Telegram's default set, which omits a few kinds. */
export const updateKinds: ValueType<readonly string[]> = {
  expects: 'kinds of updates, such as message,callback_query or ["message","callback_query"]',
  print: (value) => JSON.stringify(value),
  parse(text) {
    const names = text.startsWith('[') ? parseJson(text) : text.split(',').map((name) => name.trim());
    if (!isNames(names)) return { problem: `expected ${updateKinds.expects}` };
    const value = [...new Set(names)];
    // Telegram's list grows, so an unknown name is not an error. It may be a typo, by which the bot would miss updates.
    const unknown = value.filter((name) => !knownUpdateKinds.includes(name));
    if (unknown.length === 0) return { value };
    return { value, doubt: `lastcall does not know ${unknown.map(withSuggestion).join(', ')}` };
  },
};

function withSuggestion(name: string): string {
  const meant = didYouMean(name, knownUpdateKinds);
  return meant === undefined ? `"${name}"` : `"${name}" (did you mean "${meant}"?)`;
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && /^[a-z_]+$/.test(name));
}

const IN_CLEAR =
  'the token travels unencrypted over http; use https, unless the way to that server is protected';

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
