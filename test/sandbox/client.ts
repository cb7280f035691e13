/** A plain HTTP client for the Bot API and the control API. Each client has its own connections. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal;
}

export class Client {
  readonly #root: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(root: string) {
    this.#root = root;
  }

  /** Sends a request. Rejects if the connection fails before the response is complete. */
  send(
    path: string,
    { method = 'POST', headers = {}, body, signal }: HttpRequest = {},
  ): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `${this.#root}${path}`,
        { method, headers, agent: this.#agent, ...(signal && { signal }) },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  /** Calls a method with JSON parameters. Resolves to the parsed response. */
  async call(token: string, method: string, parameters: object = {}, signal?: AbortSignal): Promise<Json> {
    const { body } = await this.send(`/bot${token}/${method}`, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(parameters),
      ...(signal && { signal }),
    });
    return JSON.parse(body);
  }

  /** Sends a request to the control API. Resolves to the parsed response. */
  async control(method: string, path: string, content?: object): Promise<Json> {
    const { body } = await this.send(`/sandbox/${path}`, {
      method,
      ...(content && { body: JSON.stringify(content) }),
    });
    return JSON.parse(body);
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A parsed response. Its type is not checked: a missing field fails the test that expects it. */
export interface Json {
  readonly ok: boolean;
  readonly error_code?: number;
  readonly description?: string;
  readonly parameters?: { readonly retry_after: number };
  readonly result: never;
  readonly [field: string]: unknown;
}
