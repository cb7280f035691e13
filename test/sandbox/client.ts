/** A bot's side of the wire, as plain as it gets: one request, one answer, over connections the test can choose. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface HttpAnswer {
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

  /** Rejects where the connection fails before the answer is whole. */
  send(path: string, { method = 'POST', headers = {}, body, signal }: HttpRequest = {}): Promise<HttpAnswer> {
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

  /** Calls a method with JSON parameters; the answer's JSON. */
  async call(token: string, method: string, parameters: object = {}, signal?: AbortSignal): Promise<Json> {
    const { body } = await this.send(`/bot${token}/${method}`, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(parameters),
      ...(signal && { signal }),
    });
    return JSON.parse(body);
  }

  /** A request to the control path; the answer's JSON. */
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

/** An answer's JSON as a test expects it; what is not there fails the test that looks for it. */
export interface Json {
  readonly ok: boolean;
  readonly error_code?: number;
  readonly description?: string;
  readonly parameters?: { readonly retry_after: number };
  readonly result: never;
  readonly [field: string]: unknown;
}
