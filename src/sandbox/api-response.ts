/**
 * What the Bot API server says: an HTTP status and a JSON body, in the words Telegram's own server uses.
 */

export interface Answer {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
  /** Also sent as the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
}

/** A refusal: what a method throws to be answered `ok: false`. `message` is the description. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly errorCode: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(errorCode: number, description: string, retryAfterSeconds?: number) {
    super(description);
    this.errorCode = errorCode;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  static badRequest(particulars: string): ApiError {
    return new ApiError(400, `Bad Request: ${particulars}`);
  }

  static tooManyRequests(retryAfterSeconds: number): ApiError {
    return new ApiError(429, `Too Many Requests: retry after ${retryAfterSeconds}`, retryAfterSeconds);
  }
}

export function success(result: unknown, description?: string): Answer {
  return {
    status: 200,
    body: JSON.stringify({ ok: true, result, description }),
  };
}

/** The same for a list whose items are JSON text already. */
export function successOfItems(items: readonly string[]): Answer {
  return { status: 200, body: `{"ok":true,"result":[${items.join(',')}]}` };
}

export function failure(error: ApiError): Answer {
  const { errorCode, message, retryAfterSeconds } = error;
  const refusal = { ok: false, error_code: errorCode, description: message };
  if (retryAfterSeconds === undefined) return { status: errorCode, body: JSON.stringify(refusal) };
  return {
    status: errorCode,
    body: JSON.stringify({
      ...refusal,
      parameters: { retry_after: retryAfterSeconds },
    }),
    retryAfterSeconds,
  };
}
