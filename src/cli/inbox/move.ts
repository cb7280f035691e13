/**
 * `lastcall inbox move database` and `… move journal`: brings what one inbox of a bot holds into the other. It may be killed
 * at any moment: run again, it goes on, and no update is lost or doubled.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../clock.js';
import type { PostgresUrl } from '../../config/inbox-setting.js';
import type { Config } from '../../config/schema.js';
import { LastcallError } from '../../errors.js';
import { ExitCode } from '../../exit-code.js';
import { isBotKey, isFormerKey } from '../../host/bot-key.js';
import { lockAddress } from '../../host/lock.js';
import { currentPlace } from '../../host/place.js';
import { ProvenLock } from '../../host/proven-lock.js';
import type { MovedCounts } from '../../inbox/moved.js';
import { countStates, listBots } from '../../inbox/postgres/contents.js';
import { isAway } from '../../inbox/postgres/failure.js';
import { migrate } from '../../inbox/postgres/migrate.js';
import type { Session } from '../../inbox/postgres/session.js';
import { exportInbox, importInbox, isMoveDone } from '../../inbox/postgres/transfer.js';
import {
  beginMoving,
  findMoving,
  type Moving,
  movedFolder,
  movingOf,
  renameInbox,
  unfinished,
  wasMovedAway,
} from '../../inbox/store/moving.js';
import { openToMove, writeMoved } from '../../inbox/store/transfer.js';
import { albumOf, orderKey, updateKind } from '../../telegraf/order-key.js';
import { count } from '../../words.js';
import { chooseBot } from './choose-inbox.js';
import type { InboxContext } from './context.js';
import { connectOnce, placeOf } from './database.js';
import { print } from './print.js';

export interface MoveOptions {
  readonly url: PostgresUrl;
  readonly stateDir: string;
  readonly order: Config['order'];
  /** A bot id or key; undefined for the only bot. */
  readonly wanted: string | undefined;
}

interface Move {
  readonly session: Session;
  readonly bot: string;
  /** The folder of the inbox. */
  readonly folder: string;
  /** What an earlier move has left that was cut off. */
  readonly cutOff: Moving | undefined;
}

export async function moveToDatabase(io: InboxContext['io'], options: MoveOptions): Promise<number> {
  const { stateDir, wanted, url, order } = options;
  const bot = chooseBot(botsWithFolder(stateDir), wanted, stateDir);
  if (isFormerKey(bot)) {
    const message = `the folder ${join(stateDir, bot)} is of a former version: start the bot once with INBOX=journal, and stop it; then move`;
    throw new LastcallError('COMMAND_MISUSED', stateDir, message);
  }
  return withBoth(io, options, bot, async ({ session, folder, cutOff }) => {
    if (cutOff?.direction === 'to-journal') throw unfinished(cutOff);
    if (!cutOff && !existsSync(folder)) {
      // The move that was cut off may have been over.
      if (wasMovedAway(folder)) return nothingToMove(io, `the journal of bot ${bot} was moved before`);
      throw noJournal(bot, stateDir);
    }
    const moving = cutOff ?? (await beginMoving(folder, 'to-database', newHolder(), systemClock, io.signal));
    const counts = await carryOut(session, bot, moving, order, io.signal).catch(async (error: unknown) => {
      // Where nothing of it is in the database, the journal is as it was. It may be there by an earlier attempt.
      const mayBeThere = isAway(error) || (await isMoveDone(session, bot, moving.id).catch(() => true));
      if (!mayBeThere) renameInbox(moving.folder, folder);
      throw error;
    });
    const kept = movedFolder(folder, moving);
    renameInbox(moving.folder, kept);
    await print(io, [`moved ${inWords(counts)} of bot ${bot} to ${placeOf(url)}; ${kept} may be removed\n`]);
    return ExitCode.clean;
  });
}

export async function moveToJournal(io: InboxContext['io'], options: MoveOptions): Promise<number> {
  return withBoth(io, options, undefined, async ({ session, bot, folder, cutOff }) => {
    if (cutOff?.direction === 'to-database') throw unfinished(cutOff);
    const isDone = cutOff !== undefined && (await isMoveDone(session, bot, cutOff.id));
    if (cutOff && !isDone) rmSync(cutOff.folder, { recursive: true });
    if (!isDone) {
      const counts = await countStates(session, bot);
      const isEmpty = Object.values(counts).every((number) => number === 0);
      if (isEmpty) return nothingToMove(io, `the database holds nothing of bot ${bot}`);
    }
    await assertEmpty(folder, bot);
    const moving = isDone ? cutOff : movingOf(folder, 'to-journal', randomUUID());
    if (!isDone) await fill(session, bot, moving, io.signal);
    rmSync(folder, { recursive: true, force: true });
    renameInbox(moving.folder, folder);
    const written = await openToMove({ folder, bot, now: Date.now });
    written.close();
    await print(io, [`moved ${inWords(written.counts)} of bot ${bot} to ${folder}\n`]);
    return ExitCode.clean;
  });
}

/** Connects to the database, and keeps every other process on this host from working with the journal meanwhile. */
async function withBoth(
  { signal }: InboxContext['io'],
  { url, stateDir, wanted }: MoveOptions,
  known: string | undefined,
  work: (move: Move) => Promise<number>,
): Promise<number> {
  const session = await connectOnce(url, signal);
  try {
    await migrate(session, { clock: systemClock, signal });
    const bot = known ?? chooseBot(await listBots(session), wanted, placeOf(url));
    const botFolder = join(stateDir, bot);
    mkdirSync(botFolder, { recursive: true, mode: 0o700 });
    const lock = new ProvenLock({ address: lockAddress(bot), folder: botFolder });
    if (!(await lock.tryAcquire()))
      throw new LastcallError('INBOX_IN_USE', botFolder, `bot ${bot} runs on this host`);
    try {
      const folder = join(botFolder, 'inbox');
      return await work({ session, bot, folder, cutOff: findMoving(folder) });
    } finally {
      lock.release();
    }
  } finally {
    await session.close();
  }
}

/** Adds what the folder of a move holds to the database; resolves with what that is. Rejects as `importInbox` does. */
async function carryOut(
  session: Session,
  bot: string,
  { id, folder }: Moving,
  order: Config['order'],
  signal: AbortSignal,
): Promise<MovedCounts> {
  const source = await openToMove({ folder, bot, now: Date.now });
  try {
    const read = { ...source, updates: untilAbort(source.updates, signal) };
    const keyOf = (update: unknown) => orderKey(update, order);
    await importInbox(session, bot, id, read, { keyOf, groupOf: albumOf, kindOf: updateKind });
    return source.counts;
  } finally {
    source.close();
  }
}

/** Writes what the database holds into the folder of a move, and removes it there. */
async function fill(
  session: Session,
  bot: string,
  { id, folder }: Moving,
  signal: AbortSignal,
): Promise<void> {
  try {
    await exportInbox(session, bot, id, async (source) => {
      const read = { ...source, updates: untilAbort(source.updates, signal) };
      return writeMoved({ folder, bot, now: Date.now }, read);
    });
  } catch (error) {
    // The database has all of it still.
    if (!isAway(error)) rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** @throws LastcallError INBOX_OCCUPIED if there is a journal that holds anything */
async function assertEmpty(folder: string, bot: string): Promise<void> {
  if (!existsSync(folder)) return;
  const { counts, close } = await openToMove({ folder, bot, now: Date.now });
  close();
  if (counts.updates + counts.letters > 0)
    throw new LastcallError('INBOX_OCCUPIED', folder, `the journal in ${folder} holds ${inWords(counts)}`);
}

/** Until the signal aborts, after which it rejects with its reason. */
async function* untilAbort<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const item of items) {
    signal.throwIfAborted();
    yield item;
  }
}

async function nothingToMove(io: InboxContext['io'], why: string): Promise<number> {
  await print(io, [`nothing to move: ${why}\n`]);
  return ExitCode.clean;
}

const newHolder = () => ({ place: currentPlace(), id: randomUUID() });

const inWords = ({ updates, letters }: MovedCounts): string =>
  `${count(updates, 'update')} and ${count(letters, 'dead letter')}`;

function noJournal(bot: string, stateDir: string): LastcallError {
  return new LastcallError('INBOX_NOT_FOUND', stateDir, `there is no journal of bot ${bot} in ${stateDir}`);
}

function botsWithFolder(stateDir: string): readonly string[] {
  return existsSync(stateDir) ? readdirSync(stateDir).filter((name) => isBotKey(name)) : [];
}
