/**
 * Priorities for the journal: journald reads a `<N>` in front of each line, takes it off, and stores the line with
 * syslog's level N, so that `journalctl -p warning` finds what it should.
 */
import { fstatSync } from 'node:fs';

/** A level's number at syslog; what is not here is 6, information. */
const priorities: Readonly<Record<string, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
  trace: 7,
};

/**
 * Whether what is written to the file gets to the journal. JOURNAL_STREAM (`device:inode`) names the file that was stdout
 * of the unit's first process, and goes down to all those it starts: only who writes to that very file writes to the
 * journal. Not under pm2: in cluster mode it takes what is written, whatever file that would be, into one of its own.
 */
export function isJournal(
  { JOURNAL_STREAM: stream, pm_id: pm2Id }: Readonly<Record<string, string | undefined>>,
  fileDescriptor: number,
): boolean {
  if (!stream || pm2Id !== undefined) return false;
  try {
    const { dev, ino } = fstatSync(fileDescriptor, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false; // It is closed.
  }
}

/** Puts the level, as pino names it, in front of each line of the text. */
export function withPriority(level: string, text: string): string {
  return text.replaceAll(/^(?=.)/gm, `<${priorities[level] ?? 6}>`);
}

/** The level of a line of JSON as our log writes it: its first field. */
export function levelOf(json: string): string {
  return /^\{"level":"(\w+)"/.exec(json)?.[1] ?? 'info';
}
