/** Decodes the body of an HTTP response: a result, a refusal by Telegram, or neither. */
import type http from 'node:http';
import { isObject, parseJson } from '../../json.js';
import type { ApiAnswer, UnreachableWhy } from '../../polling/bot-api.js';
import { isInteger } from './results.js';

export interface AnswerReader<T> {
  /** Returns the value of a result, or undefined if the result is not what the method returns. */
  readonly parse: (result: unknown, body: Buffer) => T | undefined;
  /** Removes secrets from a text for the log. */
  readonly redact: (text: string) => string;
}

/** Decodes a complete body. */
export function readAnswer<T>(
  body: Buffer,
  response: http.IncomingMessage,
  { parse, redact }: AnswerReader<T>,
): ApiAnswer<T> {
  const text = body.toString();
  const answer = parseJson(text);
  if (isObject(answer)) {
    const { ok, result, error_code: errorCode, description, parameters } = answer;
    if (ok === true) {
      const parsed = parse(result, body);
      return parsed === undefined
        ? unreachable('not-json', 'the result is not what the method returns')
        : { kind: 'ok', result: parsed };
    }
    if (ok === false && isInteger(errorCode) && typeof description === 'string') {
      if (errorCode >= 500) return unreachable('http', redact(`${errorCode} ${description}`));
      const retryAfterSeconds = isObject(parameters) ? parameters['retry_after'] : undefined;
      return {
        kind: 'refused',
        errorCode,
        description: redact(description),
        ...(isInteger(retryAfterSeconds) && { retryAfterSeconds }),
      };
    }
  }
  const type = response.headers['content-type'] ?? 'unnamed type';
  return unreachable(
    response.statusCode === 200 ? 'not-json' : 'http',
    redact(`${describeStatus(response)}, ${text.length} characters of ${type} that are no Bot API answer`),
  );
}

export const unreachable = (
  why: UnreachableWhy,
  detail: string,
): Extract<ApiAnswer<never>, { why: unknown }> => ({
  kind: 'unreachable',
  why,
  detail,
});

/** Describes the status line of a response, and where it redirects to. The text may hold secrets. */
export function describeStatus({ statusCode, statusMessage, headers }: http.IncomingMessage): string {
  const status = `HTTP ${statusCode} ${statusMessage ?? ''}`.trim();
  return headers.location === undefined ? status : `${status}, a redirect to ${headers.location}`;
}
