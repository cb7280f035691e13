/** Looks at everything that a bot depends on, side by side. Changes nothing, and disturbs no poll unless it is asked to. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Flags } from '../../config/arguments.js';
import { isPostgresUrl } from '../../config/inbox-setting.js';
import { type Reading, readSettings } from '../../config/load.js';
import { fitToContainer } from '../../container-fit.js';
import { botKey } from '../../host/bot-key.js';
import { type ContainerRuntime, containerRuntime } from '../../host/container.js';
import { isHeld, lockAddress } from '../../host/lock.js';
import { watchedState } from '../../host/watcher.js';
import { identityOfToken } from '../../telegraf/identity.js';
import { tryOr } from '../../thrown.js';
import { look, type SeenBot } from '../status/look.js';
import { findBots } from '../status/places.js';
import { askWebhook, poll, shownToken } from './ask-telegram.js';
import { lookAtDatabase } from './database.js';
import type { Facts } from './examine.js';
import { lookAtNetwork } from './network-facts.js';
import { nodeVersion } from './node-version.js';
import { findPm2Apps } from './pm2-facts.js';
import { obstacleToPoll } from './polling.js';
import {
  commandOf,
  type FoundProcess,
  fileAfterRun,
  findProcesses,
  isLastcall,
  mayPoll,
  wrapperOf,
} from './processes.js';
import { lookAtProgram } from './program-facts.js';
import { readInTime } from './read-in-time.js';
import { lookAtState } from './state-facts.js';
import { surroundingsOf, unitsOf } from './surroundings.js';
import { findUnits, type Unit } from './systemd-facts.js';
import { LOOK_WITHIN_MS, within } from './time-limit.js';
import { unusedInboxes } from './unused-inboxes.js';

export interface LookOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly flags: Flags;
  readonly file: string | undefined;
  /** Whether to poll, too, for up to 10 s: that ends the poll of another program. Not done where lastcall runs the bot. */
  readonly poll: boolean;
  readonly signal: AbortSignal;
}

const TELEGRAM = 'https://api.telegram.org';
const DEFAULT_STOP_MS = 90_000;

/** Rejects with the signal's reason when that aborts while settings are read, and else never. */
export async function lookAround(options: LookOptions): Promise<Facts> {
  const { flags, signal } = options;
  const processes = findProcesses();
  const found = await within<readonly Unit[] | undefined>(findUnits, undefined);
  const units = unitsOf(found ?? [], options);
  const around = surroundingsOf(units, options);
  const { env, cwd } = around;
  const runtime = containerRuntime(options.env);
  const [reading, apps] = await Promise.all([
    readSettings({ env, cwd, flags, signal, readFile: readInTime }).then((read) => fitted(read, runtime)),
    findPm2Apps(processes.filter(runsIn(cwd, around.file)), cwd),
  ]);
  const { values } = reading;
  const { botToken: token, stateDir, inbox = 'journal', stopTimeoutMs = DEFAULT_STOP_MS } = values;
  const apiRoot = values.telegramApiRoot ?? TELEGRAM;
  const shown = shownToken(reading);
  const kind = isPostgresUrl(inbox) ? 'postgres' : inbox;
  const identity = token === undefined ? undefined : identityOfToken(token, apiRoot);
  const key = identity && botKey(identity);
  const named = around.file ?? values.botModule ?? apps.find(({ file }) => file !== undefined)?.file;

  const [program, nodes, network, webhook, state, seen, unused, database, isLocked] = await Promise.all([
    lookAtProgram(named, cwd, env),
    nodesOf(units),
    lookAtNetwork(apiRoot, shown, env),
    shown === undefined ? undefined : askWebhook(apiRoot, shown),
    stateDir === undefined ? undefined : lookAtState(stateDir, key, around.unit?.name),
    lookAtBot(stateDir, key),
    within(() => unusedInboxes(stateDir, identity, kind), []),
    isPostgresUrl(inbox) ? lookAtDatabase(inbox, key) : undefined,
    key === undefined ? false : within(() => isHeld(lockAddress(key)), false),
  ]);
  const reports = seen?.source === 'process' ? seen.reports : [];
  const runs = runsIn(cwd, program.file);
  const own = processes.filter((each) => runs(each) || reports.some(({ pid }) => pid === each.pid));

  const answers = network.routes.map(({ call }) => call.answer);
  const me = shown === undefined ? undefined : answers.find((answer) => answer.kind !== 'unreachable');
  const isRunning = reports.length > 0 || isLocked || (seen?.source === 'disk' && seen.onDisk.isRunning);
  const isPollWanted = options.poll && !isRunning && me?.kind === 'ok' && token !== undefined;
  const notPolled = isPollWanted ? obstacleToPoll({ webhook, inbox: values.inbox, database }) : undefined;
  const { envFile } = reading;

  return {
    nowMs: Date.now(),
    settings: {
      reading,
      of: around.unit?.name,
      closedToken: token === undefined ? around.closedToken : undefined,
      envFileMode: envFile && tryOr(() => statSync(envFile.path).mode, undefined),
      isBotNamed: named !== undefined,
    },
    program,
    nodes,
    network,
    polling: {
      ...{ apiRoot, me, webhook, isRunning },
      deletesWebhook: values.deleteWebhook ?? true,
      report: reports[0],
      lastRun: seen?.source === 'disk' ? seen.onDisk.lastRun : undefined,
      suspects: mayPoll(processes, { token, file: program.file }),
      polled: isPollWanted && notPolled === undefined ? await poll(apiRoot, token) : undefined,
      notPolled,
    },
    state,
    watched: stateDir === undefined ? undefined : watcherOf(own, stateDir),
    inbox: { seen, unused, kind, unit: units[0]?.name, app: apps[0]?.name || undefined },
    database,
    supervisor: {
      stopTimeoutMs,
      processes: own.map((each) => ({ pid: each.pid, wrapper: wrapperOf(each, runtime !== undefined) })),
      units: found && units,
      otherUnits: (found?.length ?? 0) - units.length,
      // Known by what the process has said of itself, where it runs elsewhere.
      apps: apps.length > 0 ? apps : await findPm2Apps(own, cwd),
      container: runtime && values.graceMs !== undefined ? { runtime, graceMs: values.graceMs } : undefined,
    },
  };
}

/** The settings as a run in the container would have them. */
function fitted(reading: Reading, runtime: ContainerRuntime | undefined): Reading {
  const { values, sources, warnings } = reading;
  const fit = fitToContainer(values, sources.inbox?.kind !== 'default', runtime);
  return {
    ...reading,
    values: { ...values, ...fit.values },
    sources: { ...sources, ...fit.sources },
    warnings: [...warnings, ...fit.warnings],
  };
}

/** The bot with the key; without a key, the only one that there is. */
async function lookAtBot(
  stateDir: string | undefined,
  key: string | undefined,
): Promise<SeenBot | undefined> {
  const { bots, places } = findBots(stateDir, process.geteuid?.() === 0);
  const wanted = key === undefined ? bots : bots.filter((bot) => bot.key === key);
  const [bot] = wanted;
  if (!bot || (key === undefined && wanted.length > 1)) return undefined;
  // A process that hangs is waited for, before what is on disk is read.
  return within<SeenBot | undefined>(() => look(bot, Date.now(), places), undefined, 2 * LOOK_WITHIN_MS);
}

/** The Node of this command, and those of units that run with another version. */
async function nodesOf(units: readonly Unit[]): Promise<Facts['nodes']> {
  const own = process.versions.node;
  const others = await Promise.all(
    units.map(async ({ name, argv }) => ({ of: name, version: await nodeVersion(argv[0]) })),
  );
  return [
    { version: own },
    ...others.flatMap(({ of, version }) =>
      version === undefined || version === own ? [] : [{ of, version }],
    ),
  ];
}

/** Whether a process of lastcall runs in the folder, or with the file. */
const runsIn =
  (cwd: string, file: string | undefined) =>
  (each: FoundProcess): boolean => {
    if (!isLastcall(each)) return false;
    const run = fileAfterRun(commandOf(each));
    return (
      each.cwd === cwd ||
      (file !== undefined && run !== undefined && resolve(each.cwd, run) === resolve(cwd, file))
    );
  };

const watcherOf = (own: readonly FoundProcess[], stateDir: string): ReturnType<typeof watchedState> =>
  own
    .map(({ env, ppid, cwd }) => watchedState(stateDir, { env, ppid, cwd }))
    .find((event) => event !== undefined);
