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

/**
 * Answers all requests that wait. A file that is not a request is removed; one that cannot be read is ignored. If
 * `answer` throws, the request stays. Throws what `answer` or the disk throws.
 */
export function answerRequests(
  disk: Disk,
  folder: string,
  answer: (request: InboxRequest) => InboxAnswer,
): void {
  for (const name of disk.list(requestsFolder(folder))) {
    const id = REQUEST_NAME.exec(name)?.[1];
    if (id === undefined) continue;
    const path = requestPath(folder, id);
    const text = readText(disk, path);
    if (text === undefined) continue;
    const request = parseRequest(text);
    if (request) disk.replace(answerPath(folder, id), JSON.stringify(answer(request)));
    disk.remove(path);
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
