/**
 * A request in the inbox, and its answer. The process that works with the inbox takes requests up within a second; else
 * the next one does. It may be that of another user: what is written here belongs to whom the folder belongs to.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LastcallError } from '../../errors.js';
import { inboxError } from '../../inbox/store/inbox-error.js';
import {
  answerPath,
  type InboxAnswer,
  type InboxRequest,
  parseAnswer,
  requestPath,
  requestsFolder,
} from '../../inbox/store/requests.js';
import { codeOf } from '../../system-error.js';
import { type Attendant, attendantOf } from './attendant.js';
import type { BotInbox } from './bots.js';

/** A process whose event loop is free answers within 1 s. */
const ANSWER_WITHIN_MS = 10_000;
/** Somebody who has given no sign of life for a while is not waited for that long. */
const SILENT_ANSWER_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 50;
const ASK_FOR_ATTENDANT_EVERY_MS = 500;

/** Answers that nobody has fetched: whoever asked was ended before. */
const FORGOTTEN_AFTER_MS = 60 * 60 * 1_000;

export type Outcome =
  | { readonly kind: 'answered'; readonly answer: InboxAnswer }
  /** The request stays, for the next process that works with the inbox. */
  | { readonly kind: 'nobody-there' }
  /** The same, though there seems to be one. */
  | { readonly kind: 'no-answer' };

/**
 * Writes the request and waits for its answer, as long as there is somebody to give one. Rejects with the signal's reason
 * when that aborts; the request stays then, too.
 *
 * Rejects with a LastcallError INBOX_FORBIDDEN, INBOX_DISK.
 */
export async function ask(inbox: BotInbox, request: InboxRequest, signal: AbortSignal): Promise<Outcome> {
  const id = post(inbox.folder, request);
  const begunAt = performance.now();
  let attendant = await attendantOf(inbox);
  for (let asked = begunAt; ; ) {
    const answer = fetchAnswer(inbox.folder, id);
    if (answer) return { kind: 'answered', answer };
    const now = performance.now();
    if (now - asked >= ASK_FOR_ATTENDANT_EVERY_MS) {
      attendant = await attendantOf(inbox);
      asked = now;
    }
    if (attendant.where === 'nowhere') return leave(inbox.folder, id, 'nobody-there');
    if (now - begunAt >= patienceWith(attendant)) return leave(inbox.folder, id, 'no-answer');
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

function patienceWith(attendant: Attendant): number {
  const isSilent = attendant.where === 'elsewhere' && attendant.silentMs >= ANSWER_WITHIN_MS;
  return isSilent ? SILENT_ANSWER_WITHIN_MS : ANSWER_WITHIN_MS;
}

/** A last look: the answer may have come between the look before and whatever has ended the wait. */
function leave(folder: string, id: string, kind: 'nobody-there' | 'no-answer'): Outcome {
  const answer = fetchAnswer(folder, id);
  return answer ? { kind: 'answered', answer } : { kind };
}

/**
 * Writes the request so that nobody ever sees half of it, or one that belongs to somebody else. Gives its id.
 *
 * @throws LastcallError INBOX_FORBIDDEN, INBOX_DISK
 */
export function post(folder: string, request: InboxRequest): string {
  const id = randomUUID();
  const path = requestPath(folder, id);
  try {
    const owner = statSync(requestsFolder(folder));
    removeForgotten(folder);
    write(`${path}.new`, JSON.stringify(request), owner);
    renameSync(`${path}.new`, path);
    return id;
  } catch (error) {
    throw explained(folder, 'written to', error);
  }
}

function write(
  path: string,
  text: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): void {
  // `x`: a name that leads elsewhere is not followed.
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(descriptor, text);
    fchownSync(descriptor, uid, gid);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Takes the answer away, as nobody else will; undefined as long as there is none.
 *
 * @throws LastcallError INBOX_FORBIDDEN, INBOX_DISK
 */
export function fetchAnswer(folder: string, id: string): InboxAnswer | undefined {
  const path = answerPath(folder, id);
  try {
    const answer = parseAnswer(readFileSync(path, 'utf8'));
    rmSync(path, { force: true });
    return answer;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw explained(folder, 'asked', error);
  }
}

/** @param what `written to`, `asked` */
function explained(folder: string, what: string, cause: unknown): LastcallError {
  const code = codeOf(cause);
  if (code !== 'EACCES' && code !== 'EPERM') return inboxError(folder, what, cause);
  const message = `the inbox in ${folder} cannot be ${what} by this user`;
  return new LastcallError('INBOX_FORBIDDEN', folder, message, { cause });
}

function removeForgotten(folder: string): void {
  const requests = requestsFolder(folder);
  for (const name of readdirSync(requests)) {
    if (!/\.answer\.json$|\.new$/.test(name)) continue;
    const path = join(requests, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() && Date.now() - stat.mtimeMs > FORGOTTEN_AFTER_MS) rmSync(path, { force: true });
  }
}
