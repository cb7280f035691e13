/**
 * Requests of `lastcall inbox retry` and `drop`. A request is a file in the inbox; the process that works with the
 * inbox, or else the next one, answers it with another file. Whoever may write into the folder may make requests.
 */
import { join } from 'node:path';
import { isObject, parseJson } from '../../json.js';
import { type Seq, seq } from '../ids.js';
import type { Disk } from '../log/disk.js';

/** A request to try dead letters again, or to drop updates, dead or waiting. */
export interface InboxRequest {
  readonly action: 'retry' | 'drop';
  readonly seqs: readonly Seq[];
}

export interface InboxAnswer {
  readonly done: readonly Seq[];
  /** The updates that are not in the inbox any more, or are being handled. */
  readonly refused: readonly Seq[];
}

const REQUEST_NAME = /^([\w-]+)\.request\.json$/;

export const requestsFolder = (folder: string): string => join(folder, 'requests');
export const requestPath = (folder: string, id: string): string =>
  join(requestsFolder(folder), `${id}.request.json`);
export const answerPath = (folder: string, id: string): string =>
  join(requestsFolder(folder), `${id}.answer.json`);

/** A request that waits for its answer. */
export interface WaitingRequest {
  readonly id: string;
  readonly request: InboxRequest;
}

/** The requests to the process that works with the inbox. Nothing that goes wrong with their files is a failure of the inbox. */
export class Requests {
  readonly #disk: Disk;
  readonly #folder: string;
  /** By id, the answers that could not be written, or whose requests could not be removed. */
  readonly #unsent = new Map<string, InboxAnswer>();

  /** @param folder the folder of the inbox */
  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  /**
   * The requests that are not answered yet. A file that is not a request is removed; one that cannot be read is ignored.
   * Throws what the disk throws when the folder cannot be listed.
   */
  waiting(): readonly WaitingRequest[] {
    const names = this.#disk.list(requestsFolder(this.#folder));
    const ids = new Set(names.flatMap((name) => REQUEST_NAME.exec(name)?.[1] ?? []));
    for (const [id, answer] of [...this.#unsent]) {
      this.#unsent.delete(id);
      // The asker may have given up.
      if (ids.delete(id)) this.answer(id, answer);
    }
    return [...ids].flatMap((id) => {
      const text = readText(this.#disk, requestPath(this.#folder, id));
      const request = text === undefined ? undefined : parseRequest(text);
      if (text !== undefined && !request) this.#removeRequest(id);
      return request ? [{ id, request }] : [];
    });
  }

  /** Answers a request. An answer for which there is no room, say, is written when `waiting` is called again. */
  answer(id: string, answer: InboxAnswer): void {
    try {
      this.#disk.replace(answerPath(this.#folder, id), JSON.stringify(answer));
    } catch {
      this.#unsent.set(id, answer);
      return;
    }
    if (!this.#removeRequest(id)) this.#unsent.set(id, answer);
  }

  /** Returns false if the file cannot be removed. */
  #removeRequest(id: string): boolean {
    try {
      this.#disk.remove(requestPath(this.#folder, id));
      return true;
    } catch {
      return false;
    }
  }
}

/** Undefined if the file cannot be read: it may be a folder, or closed to this user, or gone. */
function readText(disk: Disk, path: string): string | undefined {
  try {
    return disk.read(path).toString();
  } catch {
    return undefined;
  }
}

function parseRequest(text: string): InboxRequest | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const { action } = value;
  const seqs = parseSeqs(value['seqs']);
  return (action === 'retry' || action === 'drop') && seqs ? { action, seqs } : undefined;
}

/** Undefined if the text is not an answer. */
export function parseAnswer(text: string): InboxAnswer | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const [done, refused] = [parseSeqs(value['done']), parseSeqs(value['refused'])];
  return done && refused ? { done, refused } : undefined;
}

function parseSeqs(value: unknown): readonly Seq[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const numbers = value.filter((item) => typeof item === 'number');
  return numbers.length === value.length ? numbers.map(seq) : undefined;
}
