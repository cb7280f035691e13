/**
 * What people ask of the inbox while a process works with it, or before the next one does: a file for each request, and
 * one for its answer. Whoever may write into the folder may ask.
 */
import { join } from 'node:path';
import type { Disk } from '../log/disk.js';

/** To try dead letters again, or to drop updates, dead or waiting; by the journal's own numbers. */
export interface InboxRequest {
  readonly action: 'retry' | 'drop';
  readonly seqs: readonly number[];
}

export interface InboxAnswer {
  readonly done: readonly number[];
  /** Those that are gone, or are being handled. */
  readonly refused: readonly number[];
}

const REQUEST = /^([\w-]+)\.request\.json$/;

export const requestsFolder = (folder: string): string => join(folder, 'requests');
export const requestPath = (folder: string, id: string): string =>
  join(requestsFolder(folder), `${id}.request.json`);
export const answerPath = (folder: string, id: string): string =>
  join(requestsFolder(folder), `${id}.answer.json`);

/**
 * Answers all requests that wait. What is no request is removed; what cannot be read stays, and harms nobody. Throws
 * what the disk throws else, and what `answer` does; a request that was not answered stays.
 */
export function answerRequests(
  disk: Disk,
  folder: string,
  answer: (request: InboxRequest) => InboxAnswer,
): void {
  for (const name of disk.list(requestsFolder(folder))) {
    const id = REQUEST.exec(name)?.[1];
    if (id === undefined) continue;
    const path = requestPath(folder, id);
    const text = readText(disk, path);
    if (text === undefined) continue;
    const request = parseRequest(text);
    if (request) disk.replace(answerPath(folder, id), JSON.stringify(answer(request)));
    disk.remove(path);
  }
}

/** Undefined where that fails: a folder, a file of another user, one that is gone. No bot has to end for that. */
function readText(disk: Disk, path: string): string | undefined {
  try {
    return disk.read(path).toString();
  } catch {
    return undefined;
  }
}

function parseRequest(text: string): InboxRequest | undefined {
  const value = parseJson(text);
  const [action, seqs] = [field(value, 'action'), numbers(field(value, 'seqs'))];
  return (action === 'retry' || action === 'drop') && seqs ? { action, seqs } : undefined;
}

/** Undefined where the text is no answer. */
export function parseAnswer(text: string): InboxAnswer | undefined {
  const value = parseJson(text);
  const [done, refused] = [numbers(field(value, 'done')), numbers(field(value, 'refused'))];
  return done && refused ? { done, refused } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function numbers(value: unknown): readonly number[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'number') ? value : undefined;
}
