/** Adds the prefixes `<N>` from which journald takes the priority of a line, so that `journalctl -p warning` works. */
import { fstatSync } from 'node:fs';
import { tryOr } from '../thrown.js';

const priorities: Readonly<Record<string, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
  trace: 7,
};

/**
 * Whether the file descriptor leads to journald. JOURNAL_STREAM (`device:inode`) names the stdout of the unit's first
 * process. Its child processes inherit the variable, although their stdout may be another file. Always false under pm2,
 * which in cluster mode writes the output to a file of its own.
 */
export function isJournald(
  { JOURNAL_STREAM: stream, pm_id: pm2Id }: Readonly<Record<string, string | undefined>>,
  fileDescriptor: number,
): boolean {
  if (!stream || pm2Id !== undefined) return false;
  // A closed descriptor has no file.
  const file = tryOr(() => fstatSync(fileDescriptor, { bigint: true }), undefined);
  return file !== undefined && stream === `${file.dev}:${file.ino}`;
}

/** Puts the priority of a pino level before each line of the text. An unknown level gets the priority of `info`. */
export function withPriority(level: string, text: string): string {
  return text.replaceAll(/^(?=.)/gm, `<${priorities[level] ?? 6}>`);
}

/** Returns the level of a JSON line of lastcall's log, where the level is the first field. */
export function levelOf(json: string): string {
  return /^\{"level":"(\w+)"/.exec(json)?.[1] ?? 'info';
}
