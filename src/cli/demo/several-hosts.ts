/**
 * The demo with several hosts: real processes with one inbox in PostgreSQL. One is killed and one is frozen, and each time it
 * is the one that polls. People go on chatting, and lose nothing.
 */
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresUrl } from '../../config/inbox-setting.js';
import { ExitCode } from '../../exit-code.js';
import { botKey } from '../../host/bot-key.js';
import type { Signals } from '../../host/signals.js';
import { entries } from '../../inbox/postgres/contents.js';
import { forgetBot } from '../../inbox/postgres/forget.js';
import { hasTables } from '../../inbox/postgres/migrate.js';
import type { Session } from '../../inbox/postgres/session.js';
import { updateStates } from '../../inbox/seen-update.js';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.js';
import { identityOfToken } from '../../telegraf/identity.js';
import { connectOnce, placeOf } from '../inbox/database.js';
import { seconds } from './closing-table.js';
import type { Program } from './daemon.js';
import type { Stock } from './fates.js';
import { Fleet } from './fleet.js';
import { converse, crowd } from './people.js';
import { type Mishap, playScene } from './scene.js';
import { type Show, summary } from './summary.js';
import { TemporaryPostgres } from './temporary-postgres.js';

export interface SeveralHostsOptions {
  readonly program: Program;
  readonly hosts: number;
  /** Undefined: one of its own, for as long as the demo lasts. */
  readonly database: PostgresUrl | undefined;
  /** The first one ends the demo early. */
  readonly signals: Signals;
}

const PEOPLE = 20;

/** How long all of it may take until the people have said enough; it takes some 15 s. */
const SCENE_MS = 90_000;
/** How long the last answers may take: some have to wait until a host is known to be dead. */
const LAST_ANSWERS_MS = 15_000;
/** How long the hosts may take to stop; the slowest handler takes 2 s. */
const STOP_MS = 10_000;

/**
 * Runs to its end, or until the signal aborts. Resolves to 0 if nothing was lost, else 1, or the exit code of a host that could
 * not start. Rejects with DEMO_WITHOUT_DATABASE, and as `connectOnce` does.
 */
export async function severalHosts(options: SeveralHostsOptions): Promise<number> {
  const { database, signals } = options;
  if (database !== undefined) return runOn(database, placeOf(database), options);
  const server = await TemporaryPostgres.create({ signal: signals.stopped });
  try {
    signals.stopped.throwIfAborted();
    return await runOn(server.url(), 'a PostgreSQL server of its own', options);
  } finally {
    await server.stop();
  }
}

async function runOn(url: PostgresUrl, place: string, options: SeveralHostsOptions): Promise<number> {
  const { stdout } = options.program.process;
  const session = await connectOnce(url, options.signals.stopped);
  const sandbox = await startSandbox();
  const folder = await mkdtemp(join(tmpdir(), 'lastcall-demo-'));
  try {
    const inboxFile = join(folder, 'inbox');
    await writeFile(inboxFile, url, { mode: 0o600 });
    stdout.write(
      `${options.hosts} hosts share the inbox of a bot in ${place}; ${PEOPLE} people chat with it, for some 20 s.\n\n    time  answered\n`,
    );
    const show = await play(sandbox, { folder, inboxFile }, options);
    const stock = await takeStock(session, botKey(identityOfToken(sandbox.token, sandbox.apiRoot)));
    if (show.brokenBy !== undefined) return show.brokenBy;
    const { text, lost } = summary(sandbox, show, stock);
    stdout.write(text);
    return lost === 0 && show.exitCodes.every((code) => !code) ? ExitCode.clean : ExitCode.cut;
  } finally {
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
    await session.close();
  }
}

/** Starts the hosts, has people chat, and stops the hosts. */
async function play(
  sandbox: Sandbox,
  places: { readonly folder: string; readonly inboxFile: string },
  { program, hosts, signals }: SeveralHostsOptions,
): Promise<Show> {
  const { stdout } = program.process;
  const beganAt = performance.now();
  const tell = (text: string) => {
    const time = seconds(performance.now() - beganAt).padStart(8);
    const { said, answered } = sandbox.report();
    stdout.write(`${time}  ${`${answered} of ${said}`.padEnd(12)}  ${text}\n`);
  };
  const fleet = new Fleet(hosts, { program, sandbox, ...places, tell });
  // Ctrl-C in a terminal also reaches the hosts, which count the same signal twice within 500 ms as one.
  signals.subscribe({ stop() {}, hasten: (signal) => fleet.kill(signal) });
  const noReader = new AbortController();
  stdout.once('error', () => noReader.abort());
  const end = AbortSignal.any([signals.stopped, noReader.signal, fleet.broken]);
  const peopleLeave = new AbortController();
  const chatting = {
    end: AbortSignal.any([peopleLeave.signal, fleet.broken]),
    gone: AbortSignal.any([fleet.stopped, fleet.broken]),
  };
  // Each of the people listens.
  for (const signal of Object.values(chatting)) setMaxListeners(0, signal);
  let chats: Promise<unknown> = Promise.resolve();
  let mishaps: readonly Mishap[] = [];
  let exitCodes: Show['exitCodes'] = [];
  let [fromMs, toMs] = [0, 0];
  try {
    const inTime = AbortSignal.any([end, AbortSignal.timeout(SCENE_MS)]);
    await fleet.ready(inTime);
    tell(`${PEOPLE} people begin to chat`);
    fromMs = performance.now();
    chats = Promise.all(crowd(PEOPLE).map((person) => converse(sandbox, person, chatting)));
    mishaps = await playScene(fleet, tell, inTime);
    tell('the people say no more');
    toMs = performance.now();
    peopleLeave.abort();
    await sandbox.waitFor(() => sandbox.unanswered === 0, LAST_ANSWERS_MS).catch(() => {});
  } catch (error) {
    if (!end.aborted) throw error;
  } finally {
    peopleLeave.abort();
    tell('the hosts are stopped');
    exitCodes = await fleet.stop(STOP_MS);
    await chats;
  }
  return { mishaps, chat: { fromMs, toMs }, exitCodes, hosts: fleet.hosts, brokenBy: fleet.brokenBy };
}

/** Reads what the database has kept of the bot, and removes it. */
async function takeStock(session: Session, bot: string): Promise<Stock> {
  const alive = new Set<number>();
  const dead = new Set<number>();
  if (await hasTables(session)) {
    for await (const { updateId, state } of entries(session, bot, { states: updateStates }))
      (state === 'dead' ? dead : alive).add(updateId);
    await forgetBot(session, bot);
  }
  return { alive, dead };
}
