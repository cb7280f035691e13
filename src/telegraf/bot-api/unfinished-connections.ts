/**
 * Closes the connections that an agent has begun for a request and never handed over. The agents of proxies do not learn
 * that a request was given up: each would leave a connection to a proxy that accepts and does not answer, until the
 * process has no descriptors left.
 */
import { AsyncResource, createHook, executionAsyncId } from 'node:async_hooks';
import http from 'node:http';
import https from 'node:https';
import { isObject } from '../../json.js';

/**
 * Makes a request. Until it has its connection, its `destroy` closes what the agent has begun for it, too.
 *
 * @param make is called once, synchronously
 */
export function requestThrough(
  agent: http.Agent | undefined,
  make: () => http.ClientRequest,
): http.ClientRequest {
  // Node's own agents close what they have begun, and the hook takes time.
  if (!agent || isOfNode(agent)) return make();
  const connections = new UnfinishedConnections();
  let request: http.ClientRequest;
  try {
    request = connections.run(make);
  } catch (error) {
    connections.close();
    throw error;
  }
  request.once('socket', () => connections.forget());
  request.once('close', () => connections.close());
  const { destroy } = request;
  request.destroy = (error) => {
    // In the end the agent reports the connection that was closed, which concerns nobody any more.
    if (connections.close()) request.on('error', () => {});
    return Reflect.apply(destroy, request, [error]);
  };
  return request;
}

function isOfNode(agent: http.Agent): boolean {
  const prototype: unknown = Object.getPrototypeOf(agent);
  const isKnown = prototype === http.Agent.prototype || prototype === https.Agent.prototype;
  return isKnown && !Object.hasOwn(agent, 'createConnection');
}

/** The asynchronous work that has come of each request, while the request waits for its connection. */
const familyOf = new Map<number, UnfinishedConnections>();

/** Enabled only while a request waits for its connection. */
const hook = createHook({
  init: (id, type, _trigger, resource) => familyOf.get(executionAsyncId())?.add(id, type, resource),
});

/** Node's names for what is beneath a socket. */
const connectionTypes: ReadonlySet<string> = new Set(['TCPWRAP', 'PIPEWRAP']);

/** All connections that have been begun by one call, whatever promises and callbacks are in between. */
class UnfinishedConnections {
  readonly #ids: number[] = [];
  readonly #handles: object[] = [];

  run<T>(make: () => T): T {
    const scope = new AsyncResource('lastcall.request');
    if (familyOf.size === 0) hook.enable();
    this.add(scope.asyncId(), 'lastcall.request', scope);
    return scope.runInAsyncScope(make);
  }

  add(id: number, type: string, resource: object): void {
    familyOf.set(id, this);
    this.#ids.push(id);
    if (connectionTypes.has(type)) this.#handles.push(resource);
  }

  /** Leaves the connections open, since they have a new owner. */
  forget(): void {
    this.#handles.length = 0;
    if (this.#ids.length === 0) return;
    for (const id of this.#ids.splice(0)) familyOf.delete(id);
    if (familyOf.size === 0) hook.disable();
  }

  /** Says whether any was open. */
  close(): boolean {
    const handles = this.#handles.splice(0);
    this.forget();
    for (const handle of handles) closeHandle(handle);
    return handles.length > 0;
  }
}

/** Closes a handle by the socket that owns it, which tells the agent. */
function closeHandle(handle: object): void {
  const owner = Object.getOwnPropertySymbols(handle).find(
    ({ description }) => description === 'owner_symbol',
  );
  const socket: unknown = owner && Reflect.get(handle, owner);
  if (isObject(socket) && typeof socket['destroy'] === 'function') socket['destroy']();
}
