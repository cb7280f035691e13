/** Looks at one bot: asks its processes, and reads its files where the one that runs the bot does not answer. */
import { statSync } from 'node:fs';
import { type FailedStart, readFailedStarts } from '../../observe/history/failed-starts.js';
import { parseReport, type StatusReport } from '../../observe/status/report.js';
import { SOCKET } from '../../observe/status/socket-name.js';
import { codeOf } from '../../system-error.js';
import { tryOr } from '../../thrown.js';
import { restartsToday } from '../history/read.js';
import { nameOf } from '../unix-user.js';
import { ask, socketsIn } from './ask.js';
import { inboxBytes, type OnDisk, readFromDisk } from './on-disk.js';
import { type BotFolder, onlyBotOf, type Place } from './places.js';

export type SeenBot = BotFolder &
  (
    | {
        readonly source: 'process';
        /** The process that runs the bot comes before those that stand by. */
        readonly reports: readonly StatusReport[];
        readonly inboxBytes: number;
        /** Absent where there is no history. */
        readonly restartsToday?: number | undefined;
      }
    | {
        readonly source: 'disk';
        /** Whether a process has a socket, but does not answer. */
        readonly isSilent: boolean;
        readonly onDisk: OnDisk;
        /** A start in a state folder of its own that failed after the last run, before it was known which bot it was of. */
        readonly failedStart?: FailedStart | undefined;
        /** The processes that stand by. */
        readonly reports: readonly StatusReport[];
        readonly inboxBytes: number;
        /** Absent where there is no history. */
        readonly restartsToday?: number | undefined;
      }
    /** This user may not look. */
    | { readonly source: 'forbidden'; readonly owner: string | undefined }
  );

/**
 * Never rejects because of the bot or its files.
 *
 * @param places where bots were found
 */
export async function look(bot: BotFolder, nowMs: number, places: readonly Place[] = []): Promise<SeenBot> {
  const forbidden = { ...bot, source: 'forbidden', owner: ownerOf(bot.folder) } as const;
  let sockets: readonly string[];
  try {
    sockets = socketsIn(bot.folder);
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return forbidden;
    sockets = [];
  }
  const asked = await Promise.all(
    sockets.map(async (name) => ({ name, ...(await ask(bot.folder, name, 'GET', '/status')) })),
  );
  if (asked.some(({ kind }) => kind === 'forbidden')) return forbidden;
  const reports = asked.flatMap((one) => (one.kind === 'answered' ? (parseReport(one.body) ?? []) : []));
  const seen = {
    ...{ ...bot, reports: reports.sort(polledFirst), inboxBytes: inboxBytes(bot) },
    restartsToday: restartsToday(bot, nowMs),
  };
  if (reports.some((report) => !standsBy(report))) return { ...seen, source: 'process' };
  const isSilent = asked.some(({ name, kind }) => name === SOCKET && kind !== 'gone');
  const onDisk = await readFromDisk(bot, isSilent, nowMs);
  // The process that runs the bot keeps its state elsewhere, and those that stand by will keep theirs here.
  if (reports.length > 0 && !isSilent && !onDisk.lastRun) return { ...seen, source: 'process' };
  const place = places.find((one) => onlyBotOf(one, [bot]));
  const failedStart = place && readFailedStarts(place.stateDir).at(-1);
  const isNews = failedStart && !isSilent && !onDisk.isRunning && isAfter(failedStart, onDisk);
  return { ...seen, source: 'disk', isSilent, onDisk, ...(isNews && { failedStart }) };
}

const isAfter = ({ lastMs }: FailedStart, { lastRun }: OnDisk): boolean => lastMs > (lastRun?.sinceMs ?? 0);

/** Processes that share a bot all handle its updates. */
const standsBy = ({ polling, inbox }: StatusReport): boolean =>
  polling.state === 'standing-by' && inbox.kind !== 'postgres';
const polledFirst = (one: StatusReport, other: StatusReport): number =>
  Number(standsBy(one)) - Number(standsBy(other));

function ownerOf(folder: string): string | undefined {
  return tryOr(() => nameOf(statSync(folder).uid), undefined);
}
