/**
 * Closes the connections that an agent has begun for a request and never handed over. The agents of proxies do not learn
 * that a request was given up: each would leave a connection to a proxy that accepts and does not answer, until the
 * process has no descriptors left.
 */
import { AsyncResource, createHook, executionAsyncId } from 'node:async_hooks';
import http from 'node:http';
import https from 'node:https';
import { backgroundClock, type Clock } from '../../clock.js';
import { isObject } from '../../json.js';

/** Agents whose requests are watched; they stay so, since that changes nothing for requests that are not given up. */
const watched = new WeakSet<http.Agent>();

/** How long an agent may take for a connection. Telegraf's client gives its calls as long in all, and a download any time. */
const CONNECTION_WITHIN_MS = 500_000;

/**
 * Has an agent's connections closed that it has begun for a request which is destroyed before it has one, whoever makes the
 * request: Telegraf's own client sends files and downloads. Destroys a request for which the agent makes no connection.
 */
export function watchAgent(agent: http.Agent, clock: Clock = backgroundClock): void {
  // Node's own agents close what they have begun, and the hook takes time.
  if (isOfNode(agent) || watched.has(agent)) return;
  watched.add(agent);
  // A request may wait in the agent's queue for any time before its connection is begun.
  watchMethod(agent, 'addRequest', () => {});
  watchMethod(agent, 'createSocket', (request) => {
    const cancel = clock.after(CONNECTION_WITHIN_MS, () => {
      if (request.destroyed) return;
      // The agent may still report something later, when those who have asked have stopped listening.
      request.on('error', () => {});
      request.destroy();
      // Node tells nobody of a request that is destroyed before it has a connection.
      request.emit('error', noConnection());
    });
    request.once('socket', cancel);
    request.once('close', cancel);
  });
}

const noConnection = () => new Error(`no connection from the agent within ${CONNECTION_WITHIN_MS / 1_000} s`);

/** Watches what a method of an agent begins for a request. */
function watchMethod(
  agent: http.Agent,
  name: 'addRequest' | 'createSocket',
  begins: (request: http.ClientRequest) => void,
): void {
  const method: unknown = Reflect.get(agent, name);
  if (typeof method !== 'function') return;
  Reflect.set(agent, name, function (this: unknown, request: unknown, ...args: unknown[]) {
    const connect = (): unknown => Reflect.apply(method, this, [request, ...args]);
    if (!isRequest(request)) return connect();
    begins(request);
    return connectionsOf(request).run(connect);
  });
}

/**
 * Makes a request of lastcall's. Until it has its connection, its `destroy` closes what the agent has begun for it, and what
 * the agent begins within the next minute: it may still look its proxy up.
 *
 * @param make is called once, synchronously
 */
export function requestThrough(
  agent: http.Agent | undefined,
  make: () => http.ClientRequest,
): http.ClientRequest {
  if (!agent || isOfNode(agent)) return make();
  watchAgent(agent);
  const request = make();
  connectionsOf(request).closesLater = true;
  return request;
}

const isRequest = (value: unknown): value is http.ClientRequest =>
  isObject(value) && typeof value['once'] === 'function' && typeof value['destroy'] === 'function';

const connectionsOfRequest = new WeakMap<http.ClientRequest, UnfinishedConnections>();

function connectionsOf(request: http.ClientRequest): UnfinishedConnections {
  const known = connectionsOfRequest.get(request);
  if (known) return known;
  const connections = new UnfinishedConnections();
  connectionsOfRequest.set(request, connections);
  request.once('socket', () => connections.forget());
  request.once('close', () => connections.requestClosed());
  const { destroy } = request;
  request.destroy = (error) => {
    // In the end the agent reports the connection that was closed, which concerns nobody any more.
    if (connections.giveUp()) request.on('error', () => {});
    return Reflect.apply(destroy, request, [error]);
  };
  return connections;
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

/** As long as a look-up may take: what an agent begins still later for a request that was given up stays open. */
const LATEST_MS = 60_000;

/** All connections that have been begun for one request, whatever promises and callbacks are in between. */
class UnfinishedConnections {
  /** Whether what is begun after the request was given up is closed, too. */
  closesLater = false;
  readonly #ids: number[] = [];
  readonly #handles: object[] = [];
  #isGivenUp = false;

  run<T>(make: () => T): T {
    const scope = new AsyncResource('lastcall.request');
    if (familyOf.size === 0) hook.enable();
    this.add(scope.asyncId(), 'lastcall.request', scope);
    try {
      return scope.runInAsyncScope(make);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  add(id: number, type: string, resource: object): void {
    familyOf.set(id, this);
    this.#ids.push(id);
    if (!connectionTypes.has(type)) return;
    // A handle gets its socket right after this.
    if (this.#isGivenUp) process.nextTick(closeHandle, resource);
    else this.#handles.push(resource);
  }

  /** Leaves the connections open, since they have a new owner. */
  forget(): void {
    this.#handles.length = 0;
    if (this.#ids.length === 0) return;
    for (const id of this.#ids.splice(0)) familyOf.delete(id);
    if (familyOf.size === 0) hook.disable();
  }

  /** The request has failed by itself, unless it was given up. */
  requestClosed(): void {
    if (!this.#isGivenUp) this.#close();
  }

  /** Says whether the agent may still report something to the request. */
  giveUp(): boolean {
    const isWaiting = this.#ids.length > 0;
    if (this.#isGivenUp) return true;
    if (!isWaiting || !this.closesLater) return this.#close();
    this.#isGivenUp = true;
    for (const handle of this.#handles.splice(0)) closeHandle(handle);
    backgroundClock.after(LATEST_MS, () => this.forget());
    return true;
  }

  #close(): boolean {
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
