/** Looks at the way to the Bot API server, by each family of addresses, and at the proxies that the environment names. */
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { codeOf } from '../../system-error.js';
import { type ApiCall, callApi, type Family } from './api-call.js';
import { within } from './time-limit.js';

/** A proxy that a variable names. */
export interface NamedProxy {
  readonly variable: string;
  /** Host and port, without user and password; undefined for a text that is no URL. */
  readonly place: string | undefined;
  /** Why no connection is made there; undefined where one is. */
  readonly failure: string | undefined;
}

export interface NetworkFacts {
  readonly apiRoot: string;
  readonly host: string;
  /** How long the look-up of the addresses took, or why it failed; undefined where the address is in the URL. */
  readonly lookedUp: { readonly tookMs: number } | { readonly failure: string } | undefined;
  /** A call of `getMe` over each family for which the host has addresses. */
  readonly routes: readonly { readonly family: Family; readonly call: ApiCall }[];
  readonly proxies: readonly NamedProxy[];
  readonly nodeMajor: number;
  /** Whether NODE_USE_ENV_PROXY=1, by which Node 24 and later take a proxy from the environment. */
  readonly usesEnvProxy: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const NOT_IN_TIME = 'no answer in time';

export async function lookAtNetwork(
  apiRoot: string,
  token: string | undefined,
  env: Environment,
): Promise<NetworkFacts> {
  const host = new URL(apiRoot).hostname.replace(/^\[|\]$/g, '');
  const [{ lookedUp, routes }, proxies] = await Promise.all([
    lookAtRoutes(apiRoot, host, token),
    lookAtProxies(env),
  ]);
  const nodeMajor = Number.parseInt(process.versions.node, 10);
  const usesEnvProxy = env['NODE_USE_ENV_PROXY'] === '1';
  return { apiRoot, host, lookedUp, routes, proxies, nodeMajor, usesEnvProxy };
}

async function lookAtRoutes(
  apiRoot: string,
  host: string,
  token: string | undefined,
): Promise<Pick<NetworkFacts, 'lookedUp' | 'routes'>> {
  const begunAt = performance.now();
  const literal = isIP(host);
  const found: Family[] | { failure: string } =
    literal === 4 || literal === 6 ? [literal] : await familiesOf(host);
  if (!Array.isArray(found)) return { lookedUp: found, routes: [] };
  const lookedUp = literal ? undefined : { tookMs: performance.now() - begunAt };
  const routes = await Promise.all(
    found.map(async (family) => ({
      family,
      call: await callApi({ apiRoot, token, method: 'getMe', family, signal: limit() }),
    })),
  );
  return { lookedUp, routes };
}

const familiesOf = (host: string): Promise<Family[] | { failure: string }> =>
  within<Family[] | { failure: string }>(
    async () => {
      try {
        const addresses = await lookup(host, { all: true });
        return ([4, 6] as const).filter((family) => addresses.some((each) => each.family === family));
      } catch (error) {
        return { failure: codeOf(error) ?? `${error}` };
      }
    },
    { failure: NOT_IN_TIME },
  );

/** The variables that Node and the packages of agents read, in either case. */
const proxyVariables = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'];

function lookAtProxies(env: Environment): Promise<readonly NamedProxy[]> {
  const named = proxyVariables.flatMap((upper) => {
    const variable = [upper, upper.toLowerCase()].find((name) => env[name]);
    return variable === undefined ? [] : [{ variable, text: env[variable] ?? '' }];
  });
  return Promise.all(
    named.map(async ({ variable, text }) => {
      const url = parseProxy(text);
      if (!url) return { variable, place: undefined, failure: 'it is not a URL' };
      const { hostname, port, protocol, host } = url;
      const usual = protocol === 'https:' ? 443 : protocol.startsWith('socks') ? 1080 : 80;
      const failure = await failureAt(hostname.replace(/^\[|\]$/g, ''), Number(port) || usual);
      return { variable, place: host, failure };
    }),
  );
}

/** Returns the URL of a proxy; undefined for a text that is none, or in which a part of the password would be taken for the host. */
export function parseProxy(text: string): URL | undefined {
  const spelled = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(spelled)) return undefined;
  const url = new URL(spelled);
  // The "@" comes behind an unencoded "/", "?" or "#" of the password.
  return text.includes('@') && url.username === '' ? undefined : url;
}

/** Why no connection is made to a port; undefined where one is. */
function failureAt(host: string, port: number): Promise<string | undefined> {
  return within<string | undefined>(
    (signal) =>
      new Promise((resolve) => {
        const socket = connect({ host, port, signal });
        const end = (failure?: string) => {
          socket.destroy();
          resolve(failure);
        };
        socket.on('connect', () => end());
        socket.on('error', (error) => end(codeOf(error) ?? error.message));
      }),
    NOT_IN_TIME,
  );
}

/** A little less than {@link within} gives, so that what was seen of the call until then is told. */
const limit = (): AbortSignal => AbortSignal.timeout(2_000);
