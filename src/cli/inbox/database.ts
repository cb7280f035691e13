/** An inbox in a database: it is read and changed there, from any machine. */
import { systemClock } from '../../clock.js';
import type { PostgresUrl } from '../../config/inbox-setting.js';
import {
  countStates,
  entries,
  type HostEntry,
  listBots,
  listHosts,
  statesOf,
} from '../../inbox/postgres/contents.js';
import { openSession } from '../../inbox/postgres/database.js';
import { hasTables, migrate } from '../../inbox/postgres/migrate.js';
import { createDriver } from '../../inbox/postgres/pg.js';
import { dropEntries, retryLetters } from '../../inbox/postgres/requests.js';
import type { Session } from '../../inbox/postgres/session.js';
import type { InboxAnswer, InboxRequest } from '../../inbox/store/requests.js';
import { durationInWords } from '../../words.js';
import { chooseBot } from './choose-inbox.js';
import type { OpenedInbox } from './opened-inbox.js';

/**
 * Connects to the database, once: a command does not wait for one that is away. Rejects with INBOX_PACKAGE_MISSING,
 * INBOX_DATABASE_REFUSED, INBOX_DATABASE_AWAY, and the signal's reason.
 */
export async function connectOnce(url: PostgresUrl, signal: AbortSignal): Promise<Session> {
  const connect = await createDriver(url);
  const away = new AbortController();
  return openSession({
    connect,
    clock: systemClock,
    signal: AbortSignal.any([signal, away.signal]),
    lost: (_session, error) => away.abort(error),
  });
}

/**
 * Opens the inbox of a bot. Rejects as {@link connectOnce} does, and with INBOX_NOT_FOUND, INBOX_AMBIGUOUS and
 * INBOX_SCHEMA_NEWER.
 *
 * @param wanted a bot id or key; undefined for the only bot
 */
export async function openDatabaseInbox(
  url: PostgresUrl,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<OpenedInbox> {
  const session = await connectOnce(url, signal);
  try {
    const place = placeOf(url);
    const hasInboxes = await hasTables(session);
    if (hasInboxes) await migrate(session, { clock: systemClock, signal });
    const bot = chooseBot(hasInboxes ? await listBots(session) : [], wanted, place);
    const hosts = await listHosts(session, bot);
    return {
      botKey: bot,
      place: { database: place },
      isAttended: hosts.some(({ isAlive }) => isAlive),
      isDamaged: false,
      counts: await countStates(session, bot),
      updates: (selection) => entries(session, bot, selection),
      statesOf: (seqs) => statesOf(session, bot, seqs),
      usersInWords: async () => hostsInWords(await listHosts(session, bot)),
      request: async (request) => ({ kind: 'answered', answer: await carryOut(session, bot, request) }),
      close: () => session.close(),
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Where a database is, without the user and the password. */
export function placeOf(url: PostgresUrl): string {
  const { host, pathname, searchParams } = new URL(url);
  return `${host || searchParams.get('host')}${pathname}`;
}

async function carryOut(session: Session, bot: string, { action, seqs }: InboxRequest): Promise<InboxAnswer> {
  const done = await (action === 'retry' ? retryLetters : dropEntries)(session, bot, seqs);
  const all = new Set(done);
  return { done, refused: seqs.filter((seq) => !all.has(seq)) };
}

function hostsInWords(hosts: readonly HostEntry[]): string {
  const alive = hosts.filter(({ isAlive }) => isAlive);
  const silent = hosts.filter(({ isAlive }) => !isAlive);
  const inUse =
    alive.length === 0
      ? 'Not in use.'
      : `In use by ${alive.length === 1 ? 'a process' : `${alive.length} processes`}: ${alive.map(({ place, polls }) => `${place}${polls ? ', which polls' : ''}`).join('; ')}.`;
  const unseen = silent.map(
    ({ place, silentMs }) => ` ${place} was last seen ${durationInWords(silentMs)} ago.`,
  );
  return `${inUse}${unseen.join('')}`;
}
