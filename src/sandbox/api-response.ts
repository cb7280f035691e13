/** Responses of the Bot API server: an HTTP status and a JSON body, worded as by Telegram's own server. */

export interface ApiResponse {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
  /** The value of the `Retry-After` header, if there is one. */
  readonly retryAfterSeconds?: number | undefined;
}

/** Thrown by a method to respond with `ok: false`. `message` is the description. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly errorCode: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(errorCode: number, description: string, retryAfterSeconds?: number) {
    super(description);
    this.errorCode = errorCode;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  static badRequest(details: string): ApiError {
    return new ApiError(400, `Bad Request: ${details}`);
  }

  static tooManyRequests(retryAfterSeconds: number): ApiError {
    return new ApiError(429, `Too Many Requests: retry after ${retryAfterSeconds}`, retryAfterSeconds);
  }
}

export function success(result: unknown, description?: string): ApiResponse {
  return { status: 200, body: JSON.stringify({ ok: true, result, description }) };
}

/** A successful response with a list of items that are JSON texts already. */
export function successOfItems(items: readonly string[]): ApiResponse {
  return { status: 200, body: `{"ok":true,"result":[${items.join(',')}]}` };
}

export function failure({ errorCode, message, retryAfterSeconds }: ApiError): ApiResponse {
  const parameters = retryAfterSeconds === undefined ? undefined : { retry_after: retryAfterSeconds };
  const content = { ok: false, error_code: errorCode, description: message, parameters };
  return { status: errorCode, body: JSON.stringify(content), retryAfterSeconds };
}
