/** Tells what of the program keeps the process alive, and what of that is work, which comes to an end by itself. */
import { readProperty } from '../../thrown.js';
import { ComputingThreads } from './computing-threads.js';
import type { PendingTimer, ProgramTimers } from './program-timers.js';

/** What is open, by Node's names for the kinds. */
export interface OpenResources {
  /** What comes to an end by itself: files being read, child processes, requests, pauses. */
  readonly work: readonly string[];
  /** What simply stays open, such as servers and idle connections. */
  readonly others: readonly string[];
  /** What is planned for a later time than may be waited for. */
  readonly planned: readonly string[];
}

/** A timer with a longer delay is a schedule; one with a shorter delay is a pause in some work. */
const LONGEST_PAUSE_MS = 30_000;

/** Kinds that say nothing of the program: a terminal stays open for good, and immediates end with the turn. */
const ignored: ReadonlySet<string> = new Set(['TTYWrap', 'Immediate']);

const TIMER = 'Timeout';
/** Stands for what Node does not list: compression, cryptography, and what native packages have open. */
const UNNAMED = 'Unnamed';

export class ResourceWatch {
  readonly #timers: Pick<ProgramTimers, 'pending'>;
  readonly #threads: Pick<ComputingThreads, 'haveComputed'>;
  /** The kinds that were open before the program was loaded, one entry a resource. */
  readonly #before: readonly string[];
  /** The handles that were open before, and the timers and look-ups of names that were pending when `begin` was called. */
  readonly #old = new WeakSet<object>();
  /** The last timer that was seen with a callback. */
  readonly #timerOf = new WeakMap<object, object>();
  readonly #repeating = new WeakSet<object>();
  readonly #bytesWritten = new WeakMap<object, number>();

  constructor(
    timers: Pick<ProgramTimers, 'pending'>,
    threads: Pick<ComputingThreads, 'haveComputed'> = new ComputingThreads(),
  ) {
    this.#timers = timers;
    this.#threads = threads;
    this.#before = kindsOfHandles();
    for (const handle of activeHandles()) this.#old.add(handle);
  }

  /**
   * Remembers the timers that are pending: the intervals among them are not worth a word. The look-ups that are pending are
   * most likely those of calls that the stop has ended, and those cannot be cancelled.
   */
  begin(): void {
    for (const request of activeRequests()) if (isLookUp(request)) this.#old.add(request);
    for (const timer of this.#timers.pending) this.#old.add(timer.id);
  }

  /**
   * @param withinMs how long may be waited: a timer that is due later is not work
   */
  look(withinMs: number): OpenResources {
    const listed = activeRequests();
    const requests = listed.filter((request) => !this.#old.has(request));
    const work = new Set<string>(kindsOf(requests.filter((request) => !isOutput(request))));
    const handles = activeHandles();
    for (const handle of handles) {
      const kind = this.#workOf(handle);
      if (kind) work.add(kind);
    }
    const others = new Set(added(kindsOfHandles(), this.#before));
    const hasPool = handles.some((handle) => !this.#old.has(handle) && isIdleConnection(handle));
    let planned = 0;
    for (const timer of this.#timers.pending) {
      if (timer.repeats || this.#repeats(timer) || (timer.isByPackage && hasPool)) {
        if (!this.#old.has(timer.id)) others.add(TIMER);
      } else if (timer.delayMs <= LONGEST_PAUSE_MS && timer.dueInMs <= withinMs) work.add(TIMER);
      else if (this.#old.has(timer.id)) planned++;
      else others.add(TIMER);
    }
    const hasTimers = process.getActiveResourcesInfo().includes(TIMER);
    // An old look-up is no work, but it is why the event loop is not empty.
    const isUnnamed = work.size + others.size + listed.length === 0 && !hasTimers;
    const haveComputed = this.#threads.haveComputed();
    if (isUnnamed) (haveComputed ? work : others).add(UNNAMED);
    return {
      work: [...work],
      others: [...others].filter((kind) => !work.has(kind)),
      planned: planned > 0 ? [TIMER] : [],
    };
  }

  /** Whether a function is called again and again: it has had another timer before. */
  #repeats({ id, callback }: PendingTimer): boolean {
    if (typeof callback !== 'function') return false;
    const before = this.#timerOf.get(callback) ?? id;
    this.#timerOf.set(callback, id);
    if (before !== id) this.#repeating.add(callback);
    return this.#repeating.has(callback);
  }

  /** The kind of work that a handle stands for, if it does. */
  #workOf(handle: object): string | undefined {
    // A process that was forked talks to this one for as long as both live; one that was spawned has something to do.
    if (typeof readProperty(handle, 'spawnfile') === 'string')
      return readProperty(handle, 'connected') === true ? undefined : 'ProcessWrap';
    const written = readProperty(handle, 'bytesWritten');
    if (typeof written !== 'number' || isStandardStream(handle)) return undefined;
    const before = this.#bytesWritten.get(handle) ?? written;
    this.#bytesWritten.set(handle, written);
    // Bytes that only come in may come in for ever. Whoever sends something is at work.
    const isSending = written > before && !readProperty(handle, 'server');
    return isSending || hasRequest(handle) ? 'TCPSocketWrap' : undefined;
  }
}

/**
 * Whether an HTTP request waits on a socket for its answer: one of `node:http`, or one of `fetch`; or one to a server that
 * the program has closed, which answers what it was asked before.
 */
function hasRequest(socket: object): boolean {
  if (readProperty(socket, '_httpMessage')) {
    const server = readProperty(socket, 'server');
    return !server || readProperty(server, 'listening') === false;
  }
  // The sockets of fetch keep the process alive only while there is a request.
  return Object.getOwnPropertySymbols(socket).some(({ description }) => description === 'parser');
}

/** Whether a handle is a connection that the program has made, to a database for example, and that is not for HTTP. */
function isIdleConnection(handle: object): boolean {
  return (
    typeof readProperty(handle, 'bytesWritten') === 'number' &&
    !isStandardStream(handle) &&
    !readProperty(handle, 'server') &&
    !hasRequest(handle)
  );
}

const isStandardStream = (handle: object): boolean => readProperty(handle, '_isStdio') === true;

/** Whether a request writes to stdout or stderr: what is printed, lastcall's log above all, waits only for its reader. */
function isOutput(request: object): boolean {
  const handle = readProperty(request, 'handle');
  return (
    handle !== undefined &&
    [process.stdout, process.stderr].some((stream) => readProperty(stream, '_handle') === handle)
  );
}

const isLookUp = (request: object): boolean => request.constructor.name === 'GetAddrInfoReqWrap';

function kindsOfHandles(): string[] {
  // A standard stream counts from its first use on, which would look as if the program had opened it.
  void [process.stdout, process.stderr];
  const requested = new Set(kindsOf(activeRequests()));
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kind !== TIMER && !ignored.has(kind) && !requested.has(kind));
}

/** The kinds of which there are more now than before. */
function added(now: readonly string[], before: readonly string[]): string[] {
  const rest = [...before];
  return now.filter((kind) => {
    const index = rest.indexOf(kind);
    if (index >= 0) rest.splice(index, 1);
    return index < 0;
  });
}

const kindsOf = (objects: readonly object[]): string[] => objects.map((object) => object.constructor.name);

const activeHandles = (): readonly object[] => listedBy('_getActiveHandles');
const activeRequests = (): readonly object[] => listedBy('_getActiveRequests');

/** What one of Node's functions for debugging lists; there is no other way to see the resources themselves. */
function listedBy(name: string): readonly object[] {
  const list: unknown = readProperty(process, name);
  const found: unknown = typeof list === 'function' ? Reflect.apply(list, process, []) : [];
  return Array.isArray(found) ? found : [];
}
