/** The errors with which loading a bot module fails: each says what is wrong, and where in the module. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LastcallError } from '../errors.js';

/** BOT_MODULE_NOT_FOUND */
export function moduleNotFound(file: string): LastcallError {
  const path = resolve(file);
  const message = `there is no bot module ${path} (the working directory is ${process.cwd()})`;
  return new LastcallError('BOT_MODULE_NOT_FOUND', path, message);
}

/**
 * For a program that has come to rest without a bot: BOT_NOT_LAUNCHED if it has waited for something, which may come about the
 * next time, else BOT_MODULE_UNUSABLE.
 */
export function endedWithoutBot(path: string, progress: string, hasWaited: boolean): LastcallError {
  const message = `${path} has nothing left to do and has launched no bot: ${progress}`;
  return new LastcallError(hasWaited ? 'BOT_NOT_LAUNCHED' : 'BOT_MODULE_UNUSABLE', path, message);
}

/** BOT_NOT_LAUNCHED, for a program that still waits for something when its time is over. */
export function notLaunchedInTime(
  path: string,
  { timeoutMs, open, progress }: { timeoutMs: number; open: readonly string[]; progress: string },
): LastcallError {
  const seconds = Number((timeoutMs / 1000).toFixed(1));
  const underWay = open.length === 0 ? '' : ` and still has something open (${open.join(', ')})`;
  const message = `${path} has launched no bot in ${seconds} s${underWay}: ${progress}`;
  return new LastcallError('BOT_NOT_LAUNCHED', path, message);
}

/** BOT_MODULE_FAILED, for what the module threw. */
export async function moduleFailed(path: string, cause: unknown): Promise<LastcallError> {
  const message = `the bot module ${path} does not load: ${await explain(cause, path)}`;
  return new LastcallError('BOT_MODULE_FAILED', path, message, { cause });
}

async function explain(error: unknown, path: string): Promise<string> {
  if (!(error instanceof Error)) return `it threw ${String(error)}`;
  const [message = ''] = error.message.split('\n');
  const code: unknown = Reflect.get(error, 'code');
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND')
    return `a dependency is missing: ${message}`;
  const loader = loaderFor(code, path);
  if (loader !== undefined) return `${message}; ${loader}`;
  const place =
    error instanceof SyntaxError ? await placeOfSyntaxError(error, path) : placeIn(error.stack, path);
  return [place, error.name, message].filter(Boolean).join(': ');
}

/** What runs a file that Node does not, in words; undefined for other errors. */
function loaderFor(code: unknown, path: string): string | undefined {
  const needsMore = code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX';
  if (code !== 'ERR_UNKNOWN_FILE_EXTENSION' && !needsMore) return undefined;
  if (!/\.([cm]?ts|tsx|jsx)$/.test(path))
    return 'Node runs JavaScript, so compile it first and run what comes of that';
  const isPlain = !needsMore && !/x$/.test(path);
  const newer = isPlain ? ', or use Node 22.18 or newer, which leaves out types itself' : '';
  const tsx = `npm install tsx, and run NODE_OPTIONS='--import tsx' lastcall run FILE${newer}`;
  return `Node ${process.versions.node} needs a loader for it: ${tsx}; or compile it first and run what comes of that`;
}

/** Asks Node to print the error of an ES module, since only then does Node tell its place. */
async function placeOfSyntaxError({ stack }: SyntaxError, path: string): Promise<string> {
  const place = firstLinePlace(stack);
  if (place !== undefined) return place;
  // Loaded here, since hardly any start needs it, and all would wait for it.
  const { spawnSync } = await import('node:child_process');
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  return firstLinePlace(stderr) ?? 'in a file that it imports';
}

/** The `file:line` that Node puts on the line above the code. */
function firstLinePlace(text = ''): string | undefined {
  const [place = ''] = text.split('\n');
  if (!/:\d+$/.test(place)) return undefined;
  return place.startsWith('file:') ? fileURLToPath(place) : place;
}

/** The innermost line of the module itself that a stack names. */
function placeIn(stack = '', path: string): string | undefined {
  const at = stack.indexOf(`${path}:`);
  const line = at < 0 ? undefined : /^\d+/.exec(stack.slice(at + path.length + 1));
  return line ? `${path}:${line[0]}` : undefined;
}
