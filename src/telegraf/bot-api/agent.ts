/** Chooses the agent, and with it the connection pool, that polls use. */
import http from 'node:http';
import https from 'node:https';
import { LastcallError } from '../../errors.js';
import { isObject } from '../../json.js';

/** The `agent` option of Telegraf: an agent, or a function that returns the agent for a URL. */
export type GivenAgent = http.Agent | ((url: URL) => http.Agent | undefined) | undefined;

/** How long a connection is idle before the kernel begins to probe it. Telegraf uses the same time. */
const KEEP_ALIVE_MS = 10_000;

/** The connections that polling needs beside those of handlers: one for the long poll, one to check on Telegram meanwhile. */
const POLLING_CONNECTIONS = 2;

/** How many pools are kept; a program may choose another agent for each call. */
const MAX_POOLS = 4;

interface Pool {
  /** The agent that the bot was built with. */
  readonly brought: http.Agent | undefined;
  readonly protocol: string;
  readonly agent: http.Agent;
}

export class PollingAgents {
  /** The oldest first. */
  readonly #pools: Pool[] = [];
  readonly #widened = new Set<http.Agent>();
  readonly #told = new WeakSet<http.Agent>();
  readonly #used: (agent: http.Agent) => void;

  /** @param used called with each agent of the bot's before it is first used */
  constructor(used: (agent: http.Agent) => void = () => {}) {
    this.#used = used;
  }

  /**
   * Returns a pool for polls alone, so that no poll uses a connection that has been idle since a handler's call. An agent
   * that makes connections in its own way, such as a proxy's, is used as it is, but for room for the polls.
   *
   * @param given asked anew for each call, since a program may choose a proxy for each
   * @throws LastcallError BOT_AGENT if the agent is for another protocol; what a function that chooses agents throws
   */
  agentFor(given: GivenAgent, url: URL): http.Agent {
    const brought: unknown = (typeof given === 'function' ? given(url) : given) ?? undefined;
    if (brought !== undefined && !isAgent(brought))
      throw new TypeError('the agent option of the bot gives no agent');
    this.#tell(brought);
    if (brought && !isPlain(brought)) {
      checkProtocol(brought, url);
      this.#widen(brought);
      return brought;
    }
    const { protocol } = url;
    const known = this.#pools.find((pool) => pool.brought === brought && pool.protocol === protocol);
    return known?.agent ?? this.#addPool(brought, protocol);
  }

  /** Closes idle connections, and gives the agents that the bot brought back as they were. */
  close(): void {
    for (const { agent } of this.#pools.splice(0)) agent.destroy();
    for (const agent of this.#widened) widen(agent, -POLLING_CONNECTIONS);
    this.#widened.clear();
  }

  #tell(agent: http.Agent | undefined): void {
    if (!agent || this.#told.has(agent)) return;
    this.#told.add(agent);
    this.#used(agent);
  }

  #addPool(brought: http.Agent | undefined, protocol: string): http.Agent {
    const { Agent, globalAgent } = protocol === 'https:' ? https : http;
    const agent = new Agent({
      keepAlive: true,
      keepAliveMsecs: KEEP_ALIVE_MS,
      ...(brought ? optionsOf(brought) : proxyOf(globalAgent)),
      // A check of whether Telegram can be reached must not wait for the long poll to end.
      maxSockets: Number.POSITIVE_INFINITY,
      maxTotalSockets: Number.POSITIVE_INFINITY,
    });
    this.#pools.push({ brought, protocol, agent });
    if (this.#pools.length > MAX_POOLS) closeIdle(this.#pools.shift()?.agent);
    return agent;
  }

  /** Makes room for polls beside the calls of handlers: with one connection, each answer would wait for the long poll. */
  #widen(agent: http.Agent): void {
    if (this.#widened.has(agent)) return;
    this.#widened.add(agent);
    widen(agent, POLLING_CONNECTIONS);
    const [oldest] = this.#widened;
    if (oldest && this.#widened.size > MAX_POOLS && this.#widened.delete(oldest))
      widen(oldest, -POLLING_CONNECTIONS);
  }
}

/** Whether a value can be asked for connections, whatever class it is of. */
const isAgent = (value: unknown): value is http.Agent =>
  isObject(value) && typeof value['addRequest'] === 'function';

/** Adds to the limits of an agent; a limit of Infinity stays one. */
function widen(agent: http.Agent, connections: number): void {
  agent.maxSockets += connections;
  agent.maxTotalSockets += connections;
}

/** Closes what is not in use: a long poll may still wait on one of the connections. */
function closeIdle(agent: http.Agent | undefined): void {
  for (const sockets of Object.values(agent?.freeSockets ?? {}))
    for (const socket of sockets ?? []) socket.destroy();
}

/** Whether the options describe the agent completely, as they do for Telegraf's default agent. */
const isPlain = (agent: http.Agent): agent is https.Agent =>
  Object.getPrototypeOf(agent) === https.Agent.prototype && !Object.hasOwn(agent, 'createConnection');

/** The proxy that Node 24 and later take from the environment, with NODE_USE_ENV_PROXY, for calls without an agent. */
function proxyOf(agent: http.Agent): object {
  const { proxyEnv } = optionsOf(agent);
  return proxyEnv === undefined ? {} : { proxyEnv };
}

/** The options that an agent was built with, which the types of node:http keep back. */
function optionsOf(agent: http.Agent): Readonly<Record<string, unknown>> {
  const options: unknown = Reflect.get(agent, 'options');
  return isObject(options) ? options : {};
}

/** Node would throw at each request. Agents of proxies find out only then which protocol they are used for. */
function checkProtocol(agent: http.Agent, url: URL): void {
  const declared: unknown = Object.getOwnPropertyDescriptor(agent, 'protocol')?.value;
  if (typeof declared !== 'string' || declared === url.protocol) return;
  const kind = declared.slice(0, -1);
  throw new LastcallError(
    'BOT_AGENT',
    'the agent option of the bot',
    `the bot was built with an agent for ${kind}, but its API root begins with ${url.protocol}//`,
  );
}
