/** Chooses the agent, and with it the connection pool, that polls use. */
import http from 'node:http';
import https from 'node:https';

/** The `agent` option of Telegraf: an agent, or a function that returns the agent for a URL. */
export type GivenAgent = http.Agent | ((url: URL) => http.Agent | undefined) | undefined;

/** How long a connection is idle before the kernel begins to probe it. Telegraf uses the same time. */
const KEEP_ALIVE_MS = 10_000;

/**
 * Returns a pool for polls alone, so that no poll uses a connection that has been idle since a handler's call. An agent
 * that makes connections in its own way, such as a proxy's, is used as it is, and `close` leaves it open.
 */
export function pollingAgent(given: GivenAgent, apiRoot: URL): { agent: http.Agent; close: () => void } {
  const brought = typeof given === 'function' ? given(apiRoot) : given;
  if (brought && !isPlain(brought)) return { agent: brought, close: () => {} };
  const Agent = apiRoot.protocol === 'https:' ? https.Agent : http.Agent;
  const agent = new Agent({
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    ...brought?.options,
    // A check of whether Telegram can be reached must not wait for the long poll to end.
    maxSockets: Number.POSITIVE_INFINITY,
  });
  return { agent, close: () => agent.destroy() };
}

/** Whether the options describe the agent completely, as they do for Telegraf's default agent. */
const isPlain = (agent: http.Agent): agent is https.Agent =>
  Object.getPrototypeOf(agent) === https.Agent.prototype && !Object.hasOwn(agent, 'createConnection');
