/** Finds the passwords of proxies where programs and operators write them, so that no output needs to hold one. */
import { isObject } from '../json.js';
import { readProperty } from '../thrown.js';

/** Variables that Node and the packages of agents read, in either case. */
const proxyVariable = /^(https?|all|socks)_proxy$/i;

/** Where the agents of proxies keep what they were built with. */
const agentFields = ['proxy', 'proxyOptions', 'connectOpts', 'proxyHeaders'] as const;
const passwordFields = [
  'password',
  'proxyAuth',
  'auth',
  'Proxy-Authorization',
  'proxy-authorization',
] as const;

/** Returns the passwords of the proxies in an environment, and what is sent of them. Does not throw. */
export function proxySecretsIn(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return unique(
    Object.entries(env).flatMap(([name, value]) => (proxyVariable.test(name) ? secretsIn(value) : [])),
  );
}

/**
 * Returns the passwords of the proxy that an agent goes through, and what is sent of them. Does not throw.
 *
 * @param agent the `agent` option of a bot; of a function nothing is known before it is called
 */
export function proxySecretsOf(agent: unknown): readonly string[] {
  if (!isObject(agent)) return [];
  return unique(agentFields.flatMap((field) => secretsIn(readProperty(agent, field))));
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

function secretsIn(proxy: unknown): readonly string[] {
  if (typeof proxy === 'string') {
    const url = proxy.includes('://') ? proxy : `http://${proxy}`;
    return [...(URL.canParse(url) ? secretsIn(new URL(url)) : []), ...passwordsInText(url)];
  }
  if (!isObject(proxy)) return [];
  return passwordFields.flatMap((field) => {
    const value = readProperty(proxy, field);
    if (typeof value !== 'string' || value === '') return [];
    if (field !== 'password') return [value, ...passwordAfterColon(value), base64(value)];
    const user = readProperty(proxy, 'username') ?? readProperty(proxy, 'userId') ?? '';
    return [value, decoded(value), base64(`${decoded(`${user}`)}:${decoded(value)}`)];
  });
}

/** A password with `/`, `#` or `?` in it makes no URL, or another one, and errors quote such texts. */
function passwordsInText(text: string): readonly string[] {
  const password = /:\/\/[^:@/]*:(.+)@/.exec(text)?.[1];
  return password === undefined ? [] : [password];
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function passwordAfterColon(credentials: string): readonly string[] {
  const at = credentials.indexOf(':');
  return at < 0 ? [] : [credentials.slice(at + 1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
