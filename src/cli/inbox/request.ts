/**
 * Sends a request to the process that owns an inbox, and waits for its answer. Both are files in the inbox. The owner
 * looks for requests every second; without an owner, the next process answers when it starts. The owner may run as
 * another user, so request files belong to the user that the folder belongs to.
 */
import { randomUUID } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accessError } from '../../inbox/store/inbox-error.js';
import {
  answerPath,
  type InboxAnswer,
  type InboxRequest,
  parseAnswer,
  requestPath,
  requestsFolder,
} from '../../inbox/store/requests.js';
import { replaceFile } from '../../replace-file.js';
import { codeOf } from '../../system-error.js';
import type { BotInbox } from './choose-inbox.js';
import { findOwner, type InboxOwner } from './owner.js';

/** How long to wait for an answer. An owner whose event loop is not blocked answers a short request within 1 s. */
const ANSWER_TIMEOUT_MS = 10_000;
/** How much longer for each update: an owner with other work does several thousand in a second. */
const ANSWER_TIMEOUT_MS_PER_UPDATE = 1;
/** How long to wait for an answer of an owner whose last heartbeat is old. */
const SILENT_ANSWER_TIMEOUT_MS = 2_000;
const CHECK_EVERY_MS = 50;

/** The age at which an answer is removed, because the command that asked for it has ended without reading it. */
const ABANDONED_AFTER_MS = 60 * 60 * 1_000;

export type RequestResult =
  | { readonly kind: 'answered'; readonly answer: InboxAnswer }
  /** The request stays in the inbox, for the next process that opens it. */
  | { readonly kind: 'not-in-use' | 'no-answer' | 'stopped' };

/**
 * Writes a request and waits for its answer, as long as the inbox has an owner and until the signal aborts. Rejects with
 * INBOX_FORBIDDEN or INBOX_DISK.
 */
export async function sendRequest(
  inbox: BotInbox,
  request: InboxRequest,
  signal: AbortSignal,
): Promise<RequestResult> {
  const id = writeRequest(inbox.folder, request);
  const begunAt = performance.now();
  for (;;) {
    const owner = await findOwner(inbox);
    const waitedMs = performance.now() - begunAt;
    // Checked after the owner, because an owner that is gone by now may have answered before it ended.
    const answer = takeAnswer(inbox.folder, id);
    if (answer) return { kind: 'answered', answer };
    if (owner.kind === 'none') return { kind: 'not-in-use' };
    if (signal.aborted) return { kind: 'stopped' };
    if (waitedMs >= timeoutFor(owner, request)) return { kind: 'no-answer' };
    // Rejects only on an abort, after which the answer is looked for once more.
    await sleep(CHECK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

function timeoutFor(owner: InboxOwner, { seqs }: InboxRequest): number {
  const isSilent = owner.kind === 'remote' && owner.silentMs >= ANSWER_TIMEOUT_MS;
  if (isSilent) return SILENT_ANSWER_TIMEOUT_MS;
  return ANSWER_TIMEOUT_MS + seqs.length * ANSWER_TIMEOUT_MS_PER_UPDATE;
}

/**
 * Writes a request file, owned by the owner of the folder, and returns the request's id.
 *
 * @throws LastcallError INBOX_FORBIDDEN, INBOX_DISK
 */
export function writeRequest(folder: string, request: InboxRequest): string {
  const id = randomUUID();
  try {
    const owner = lstatSync(requestsFolder(folder));
    // Root would write wherever a link of the bot's user leads.
    if (!owner.isDirectory()) throw new Error(`${requestsFolder(folder)} is not a folder`);
    removeAbandoned(folder);
    replaceFile(requestPath(folder, id), JSON.stringify(request), { owner, sync: true });
    return id;
  } catch (error) {
    throw accessError(folder, 'written to', error);
  }
}

/**
 * Reads an answer and removes its file. Returns undefined if there is no answer yet.
 *
 * @throws LastcallError INBOX_FORBIDDEN, INBOX_DISK
 */
export function takeAnswer(folder: string, id: string): InboxAnswer | undefined {
  const path = answerPath(folder, id);
  try {
    const answer = parseAnswer(readFileSync(path, 'utf8'));
    rmSync(path, { force: true });
    return answer;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw accessError(folder, 'read', error);
  }
}

function removeAbandoned(folder: string): void {
  const requests = requestsFolder(folder);
  for (const name of readdirSync(requests)) {
    if (!/\.answer\.json$|\.new$/.test(name)) continue;
    const path = join(requests, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() && Date.now() - stat.mtimeMs > ABANDONED_AFTER_MS) rmSync(path, { force: true });
  }
}
