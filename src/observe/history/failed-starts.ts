/**
 * The starts that failed before any bot was known, and so are in no bot's history: one JSON object a line, in one file for all
 * bots of a state folder. The file is written whole each time, which happens only when the process is about to end.
 */
import { lstatSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isObject, parseJson } from '../../json.js';
import { makeFolder } from '../../make-folder.js';
import { replaceFile } from '../../replace-file.js';
import { isLastcallError } from '../../thrown.js';

/** In the state folder itself. */
export const FAILED_STARTS_FILE = 'failed-starts.jsonl';

/** One failure, with its repeats in a restart loop. All `…Ms` are milliseconds since 1970 by the system's clock. */
export interface FailedStart {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly times: number;
  readonly exitCode: number;
  /** Of a LastcallError. */
  readonly code?: string | undefined;
  /** What the error is about: a setting, a file, a hook. */
  readonly culprit?: string | undefined;
  readonly message: string;
  readonly supervisor: string;
  /** The absolute path of the bot program. */
  readonly file?: string | undefined;
}

export interface Failure {
  readonly error: unknown;
  /** What happened, in words. */
  readonly message: string;
  readonly exitCode: number;
  readonly supervisor: string;
  readonly file?: string | undefined;
}

export interface NoteOptions {
  /** Masks secrets. */
  redact(text: string): string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Default: whether this process runs under `sudo`. */
  readonly isBySudo?: boolean;
}

const MOST_STARTS = 100;
const MOST_BYTES = 64 * 1024;
const MOST_LENGTH = 1_000;
/** Longer than any supervisor waits before it starts again. The same failure after that is another incident. */
const SAME_WITHIN_MS = 60 * 60 * 1_000;

/**
 * Notes a failed start in the state folder. Does nothing where that cannot be written, or where `sudo` would have to make the
 * folder: it would be root's, and of no use to the user that the bot is to run as.
 */
export function noteFailedStart(stateDir: string, failure: Failure, options: NoteOptions): void {
  const { pid: writer, isBySudo = process.getuid?.() === 0 && process.env['SUDO_UID'] !== undefined } =
    options;
  try {
    const starts = withFailure(readFailedStarts(stateDir), startOf(failure, options));
    if (!isBySudo) makeFolder(stateDir);
    replaceFile(join(stateDir, FAILED_STARTS_FILE), textOf(starts), { writer });
  } catch {
    // The log has the error, and a start that fails should not fail for this.
  }
}

/** Returns the failed starts of a state folder, the one that failed last at the end. Lines of other versions are left out. */
export function readFailedStarts(stateDir: string): readonly FailedStart[] {
  const path = join(stateDir, FAILED_STARTS_FILE);
  try {
    const stats = lstatSync(path);
    // Somebody else may have put anything there.
    if (!stats.isFile() || stats.size > MOST_BYTES) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.flatMap((line) => parseFailedStart(line) ?? []);
  } catch {
    return [];
  }
}

function startOf({ error, ...failure }: Failure, { redact, now }: NoteOptions): FailedStart {
  const { exitCode, supervisor, file } = failure;
  const bounded = (text: string) => redact(text).slice(0, MOST_LENGTH);
  const atMs = now();
  return {
    ...{ firstMs: atMs, lastMs: atMs, times: 1, exitCode },
    ...(isLastcallError(error) && { code: error.code, culprit: bounded(error.culprit) }),
    ...{ message: bounded(failure.message), supervisor },
    ...(file !== undefined && { file: bounded(resolve(file)) }),
  };
}

/** Adds a start, or counts it in the line of the same failure, which may be between those of other bots in a loop. */
function withFailure(starts: readonly FailedStart[], start: FailedStart): readonly FailedStart[] {
  const same = starts.findLast((one) => isSame(one, start) && start.lastMs - one.lastMs < SAME_WITHIN_MS);
  if (!same) return [...starts, start];
  const { firstMs, times } = same;
  return [...starts.filter((one) => one !== same), { ...start, firstMs, times: times + 1 }];
}

const isSame = (one: FailedStart, other: FailedStart): boolean =>
  (['exitCode', 'code', 'supervisor', 'file'] as const).every((name) => one[name] === other[name]) &&
  withoutTimes(one.message) === withoutTimes(other.message);

/** How long something was waited for differs a little from one start to the next. */
const withoutTimes = (message: string): string => message.replace(/\d+(?:\.\d+)? (?:ms|s|min|h)\b/g, '');

/** Leaves out the oldest where there are too many. */
function textOf(starts: readonly FailedStart[]): string {
  const lines = starts.slice(-MOST_STARTS).map((start) => `${JSON.stringify(start)}\n`);
  let bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
  while (bytes > MOST_BYTES) bytes -= Buffer.byteLength(lines.shift() ?? '');
  return lines.join('');
}

function parseFailedStart(line: string): FailedStart | undefined {
  const value = parseJson(line);
  if (!isObject(value)) return undefined;
  const { firstMs, lastMs, times, exitCode, code, culprit, message, supervisor, file } = value;
  if (!isNumber(firstMs) || !isNumber(lastMs) || !isNumber(times) || !isNumber(exitCode)) return undefined;
  if (!isText(message) || !isText(supervisor)) return undefined;
  return {
    ...{ firstMs, lastMs, times, exitCode },
    ...(isText(code) && { code }),
    ...(isText(culprit) && { culprit }),
    ...{ message, supervisor },
    ...(isText(file) && { file }),
  };
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === 'string';
