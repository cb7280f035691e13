/**
 * Tells why a handler has failed, by what it threw. An error means that Telegram is out of reach only if it is known to be
 * about the Bot API, since handlers call other servers as well. It is where
 *
 * - it is a TelegramError: by its code;
 * - it names an address of the Bot API (`…/bot123:…`), as the errors of node-fetch and of plain calls do;
 * - it is a failed lookup of the API root's host, or a failed connection to its IP address;
 * - it came out of an API call that was made through a context, and names no address.
 *
 * An error that wraps another one (`cause`, `errors`) is what the other one is.
 */
import type { Failure } from '../dispatch/failure.js';
import { isObject } from '../json.js';
import { delayMsOf } from './retry-later.js';

/** What is known of a bot's API calls. */
export interface KnownCalls {
  readonly apiRoot: string;
  /** The errors that came out of API calls through a context. */
  readonly errors: WeakSet<object>;
}

type Fields = Readonly<Record<string, unknown>>;

const OTHER: Failure = { kind: 'error' };
const UNREACHABLE: Failure = { kind: 'unreachable' };

/** So many wrapped errors are looked at; getters may make ever more of them. */
const MOST_ERRORS = 100;

/** Tells what kind of failure a handler's error is. Never throws, whatever the handler has thrown. */
export function failureOf(thrown: unknown, calls: KnownCalls): Failure {
  try {
    return classify(thrown, calls, new Map()) ?? OTHER;
  } catch {
    // A getter of the error has thrown.
    return OTHER;
  }
}

/** The wait that Telegram asks for, where an error is its response 429; otherwise undefined. Does not throw. */
export function retryAfterMsOf(error: unknown): number | undefined {
  try {
    const failure = isObject(error) ? telegramErrorFailure(error) : undefined;
    return failure?.kind === 'rate-limited' ? failure.retryAfterMs : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns undefined for an error that nothing is known of.
 *
 * @param isOfCall whether the error is a part or the cause of one that came out of an API call
 */
function classify(
  error: unknown,
  calls: KnownCalls,
  seen: Map<object, Failure | undefined>,
  isOfCall = false,
): Failure | undefined {
  if (!isObject(error)) return undefined;
  if (seen.has(error) || seen.size >= MOST_ERRORS) return seen.get(error);
  seen.set(error, undefined);
  const cameOutOfCall = isOfCall || calls.errors.has(error);
  const failure =
    askedFailure(error) ??
    telegramErrorFailure(error) ??
    (isTelegramUnreachable(error, calls.apiRoot, cameOutOfCall) ? UNREACHABLE : undefined) ??
    longestWait(error['errors'], (part) => classify(part, calls, seen, cameOutOfCall)) ??
    classify(error['cause'], calls, seen, cameOutOfCall);
  seen.set(error, failure);
  return failure;
}

function askedFailure(error: Fields): Failure | undefined {
  const delayMs = delayMsOf(error);
  return delayMs === undefined ? undefined : { kind: 'asked', delayMs };
}

/** The failure that a TelegramError of any copy of Telegraf stands for; undefined for other errors. */
function telegramErrorFailure({ response, on }: Fields): Failure | undefined {
  if (!isObject(response) || !isObject(on)) return undefined;
  const { error_code: code, parameters } = response;
  // Without a code, the answer was not Telegram's own.
  if (typeof code !== 'number' || code >= 500) return UNREACHABLE;
  if (code !== 429) return OTHER;
  const seconds = isObject(parameters) ? Number(parameters['retry_after']) : 1;
  // At least 1 s, so that a 429 without a time does not become a hot loop.
  return { kind: 'rate-limited', retryAfterMs: Math.max(1, seconds || 1) * 1_000 };
}

function isTelegramUnreachable(error: Fields, apiRoot: string, cameOutOfCall: boolean): boolean {
  if (!isNetworkError(error)) return false;
  const address = addressIn(error);
  if (address !== undefined) return /\/(bot|user)\d+:/.test(address);
  return cameOutOfCall || isConnectionTo(new URL(apiRoot), error);
}

/** The types of node-fetch's errors that say that no proper answer came. */
const fetchErrorTypes = ['system', 'request-timeout', 'body-timeout', 'invalid-json'];

/** The codes of errors of sockets, name servers, TLS, and the HTTP clients undici and axios. */
const networkCode =
  /^(E(CONN|HOST|NET)[A-Z]+|EPIPE|EPROTO|E(SOCKET)?TIMEDOUT|ENOTFOUND|EAI_[A-Z]+|ERR_(SSL|TLS|NETWORK)\w*|UND_ERR_(SOCKET|\w+_TIMEOUT)|(CERT|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)_\w+)$/;

function isNetworkError({ name, type, code }: Fields): boolean {
  if (name === 'FetchError') return fetchErrorTypes.some((known) => known === type);
  return typeof code === 'string' && networkCode.test(code);
}

/** The address that the call went to, where the error names it: in its message, or as axios does. */
function addressIn({ message, config }: Fields): string | undefined {
  if (isObject(config) && typeof config['url'] === 'string') return config['url'];
  return /https?:\/\/\S+/.exec(String(message))?.[0];
}

function isConnectionTo(root: URL, { hostname, address, port }: Fields): boolean {
  if (hostname !== undefined) return hostname === root.hostname;
  const rootPort = root.port || (root.protocol === 'https:' ? '443' : '80');
  return address === root.hostname.replace(/^\[|\]$/g, '') && String(port) === rootPort;
}

/** Of the failures of several errors the one with the longest wait; undefined if any of them is of kind `error`. */
function longestWait(
  parts: unknown,
  classifyPart: (part: unknown) => Failure | undefined,
): Failure | undefined {
  if (!Array.isArray(parts)) return undefined;
  const failures = parts.map((part) => classifyPart(part) ?? OTHER);
  if (failures.some(({ kind }) => kind === 'error')) return undefined;
  return failures.sort((one, other) => waitMsOf(other) - waitMsOf(one))[0];
}

function waitMsOf(failure: Failure): number {
  if (failure.kind === 'rate-limited') return failure.retryAfterMs;
  return failure.kind === 'asked' ? failure.delayMs : 0;
}
