/**
 * The control API of the sandbox, under `/sandbox/`: lets a test or a person in another process drive and observe it.
 * Requests and responses are JSON; an error is `{ "error": "reason" }`, with `fields` that are wrong. Faults do not apply
 * to it. Whatever a request has in it, the server goes on: an error that nobody has foreseen is answered with 500.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isObject, parseJson } from '../../json.js';
import { describeThrown } from '../../thrown.js';
import { ApiError } from '../api-response.js';
import { FieldsError } from '../fields-error.js';
import type { Sandbox } from '../sandbox.js';
import type { SandboxBot } from '../sandbox-bot.js';
import { InvalidRequest, type Route, routes } from './routes.js';

const PREFIX = '/sandbox/';

type Given = Readonly<Record<string, unknown>>;

export const isControlRequest = ({ url }: IncomingMessage): boolean => url?.startsWith(PREFIX) ?? false;

/** Refuses a control request without looking at it. */
export function refuseControlRequest(reason: string, response: ServerResponse): void {
  reply(response, 403, { error: reason });
}

/** Serves a control request whose body is complete. */
export function serveControlRequest(
  sandbox: Sandbox,
  { method, url = '' }: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): void {
  const { pathname, searchParams } = new URL(url, 'http://sandbox');
  const candidates = routes.filter(({ path }) => path === `${method} ${pathname.slice(PREFIX.length)}`);
  if (candidates.length === 0) {
    const paths = [...new Set(routes.map(({ path }) => path.replace(' ', ` ${PREFIX}`)))];
    reply(response, 404, { error: 'no such path', paths });
    return;
  }
  try {
    const given = { ...Object.fromEntries(searchParams), ...parseBody(body) };
    const subject = {
      sandbox,
      get bot() {
        return findBot(sandbox, given['bot']);
      },
    };
    reply(response, 200, choose(candidates, given).serve(given, subject));
  } catch (error) {
    reply(response, statusOf(error), {
      error: describeThrown(error),
      ...(error instanceof FieldsError && { fields: error.fields }),
    });
  }
}

function statusOf(error: unknown): number {
  if (error instanceof InvalidRequest) return error.status;
  return error instanceof RangeError || error instanceof ApiError ? 400 : 500;
}

/** Returns the one of several routes of a path that has the key of the request. */
function choose(candidates: readonly Route[], given: Given): Route {
  const [only, ...others] = candidates;
  const found =
    others.length === 0 ? only : candidates.find(({ key }) => key !== undefined && given[key] !== undefined);
  if (found) return found;
  const keys = candidates.flatMap(({ key }) => key ?? []);
  throw new InvalidRequest(`${keys[0]} is missing; the request must have one of ${keys.join(', ')}`);
}

function findBot(sandbox: Sandbox, idOrToken: unknown): SandboxBot {
  if (idOrToken === undefined) return sandbox;
  if (typeof idOrToken !== 'string' && typeof idOrToken !== 'number')
    throw new InvalidRequest('bot must be the id or the token of a bot');
  const name = `${idOrToken}`;
  return name.includes(':') ? sandbox.bot(name) : sandbox.botById(Number(name));
}

function parseBody(body: Buffer): Given {
  if (body.length === 0) return {};
  const value = parseJson(body.toString());
  if (!isObject(value)) throw new InvalidRequest('the body must be a JSON object');
  return value;
}

function reply(response: ServerResponse, status: number, content: unknown): void {
  const json = JSON.stringify(content);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${json}\n`);
}
