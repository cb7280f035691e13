/** The files that a bot has sent or seen. What was uploaded can be downloaded again, as far as there is room for it. */
import { randomBytes } from 'node:crypto';
import type { Upload } from '../upload.js';

/** The most bytes that are kept: the oldest contents are dropped first. */
const MAX_TOTAL_BYTES = 100_000_000;
const NO_CONTENT = Buffer.from('The sandbox has no content for this file.\n');

interface KnownFile {
  readonly path: string;
  readonly size: number | undefined;
}

export class Files {
  readonly #known = new Map<string, KnownFile>();
  readonly #byPath = new Map<string, Buffer>();
  /** A part of all ids: a bot may still name a file of an earlier sandbox, and it is not to get another one. */
  readonly #series = randomBytes(4).toString('hex');
  #lastNumber = 0;
  #totalBytes = 0;

  /** Keeps an upload. Returns its id. */
  add(kind: string, upload: Upload): string {
    const number = ++this.#lastNumber;
    const id = `sandbox-${this.#series}-${kind}-${number}`;
    const extension = /\.\w{1,10}$/.exec(upload.fileName)?.[0] ?? '';
    const path = `${kind}s/file_${number}${extension}`;
    this.#known.set(id, { path, size: upload.size });
    this.#keep(path, upload.content ?? NO_CONTENT);
    return id;
  }

  /** Remembers the id of a file whose content is not known. */
  learn(id: string): void {
    if (!this.#known.has(id))
      this.#known.set(id, { path: `files/file_${++this.#lastNumber}`, size: undefined });
  }

  find(id: string): KnownFile | undefined {
    return this.#known.get(id);
  }

  /** Returns the content below a path that `find` has given, or undefined for any other path. */
  content(path: string): Buffer | undefined {
    const kept = this.#byPath.get(path);
    if (kept) return kept;
    return [...this.#known.values()].some((known) => known.path === path) ? NO_CONTENT : undefined;
  }

  #keep(path: string, given: Buffer): void {
    const content = detached(given);
    this.#byPath.set(path, content);
    this.#totalBytes += content.length;
    for (const [oldest, { length }] of this.#byPath) {
      if (this.#totalBytes <= MAX_TOTAL_BYTES) break;
      this.#byPath.delete(oldest);
      this.#totalBytes -= length;
    }
  }
}

/**
 * Returns a content that keeps little more in memory than its own bytes. A part of a buffer keeps all of it, as a small file
 * would the whole body of the request that it came in.
 */
function detached(content: Buffer): Buffer {
  if (content.buffer.byteLength <= 2 * content.length) return content;
  const copy = Buffer.allocUnsafeSlow(content.length);
  content.copy(copy);
  return copy;
}
