/**
 * Makes uploads work on Node 26. Telegraf sends files by the package sandwich-stream, which is no longer maintained and
 * calls `read()` once for each `readable` event. From Node 26 on, `read()` returns one chunk of a buffer at a time, and
 * the event does not come again before the buffer is empty, so that every upload hangs after its first line.
 */
import type { Readable } from 'node:stream';
import { types } from 'node:util';
import { isObject } from '../../json.js';
import { commonJsLoader } from '../module-file.js';

/** The members of a SandwichStream that reading from one of its parts depends on. */
interface Sandwich {
  readonly currentStream: Readable;
  push(chunk: unknown): boolean;
}

/**
 * Mends each loaded copy of sandwich-stream; a copy of Telegraf loads its own before it is loaded itself. The mend stays:
 * it does what the original does, and on every version of Node.
 */
export function mendUploads(): void {
  for (const module of Object.values(commonJsLoader._cache)) mendSandwichStream(module?.exports);
}

/** Mends the class that a module exports if the module is sandwich-stream. */
export function mendSandwichStream(exports: unknown): void {
  if (types.isProxy(exports) || !isObject(exports)) return;
  const sandwichStream: unknown = Object.getOwnPropertyDescriptor(exports, 'SandwichStream')?.value;
  if (typeof sandwichStream !== 'function') return;
  const prototype: unknown = sandwichStream.prototype;
  if (isObject(prototype) && Object.hasOwn(prototype, 'currentStreamOnReadable'))
    Reflect.set(prototype, 'currentStreamOnReadable', pushAll);
}

function pushAll(this: Sandwich): void {
  const part = this.currentStream;
  for (let chunk: unknown = part.read(); chunk !== null; chunk = part.read()) this.push(chunk);
}
