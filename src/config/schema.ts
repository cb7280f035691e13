/** The settings. Only this file knows their names, types, defaults and help, and which of them are secret. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { tryOr } from '../thrown.js';
import { inboxSetting } from './inbox-setting.js';
import { listenAddress } from './listen-address.js';
import {
  age,
  choice,
  duration,
  integer,
  type Parsed,
  path,
  rootUrl,
  token,
  updateKinds,
  type ValueType,
  yesNo,
} from './value-types.js';

export type Environment = Readonly<Record<string, string | undefined>>;

interface DerivedDefault {
  readonly text: string;
  readonly from: string;
}

interface Description {
  readonly name: string;
  /** The default, in words or as text that the type parses. */
  readonly fallback: string;
  /** One or two sentences for people. */
  readonly help: string;
  /** A secret is never shown, and has no flag, because every user of the machine can read a command line. */
  readonly secret?: true;
  /** Whether the setting is ignored in `.env`, because it decides which file is read in its place. */
  readonly notInEnvFile?: true;
  /**
   * Whether bot programs and their tools have settings of this name, too. A value without the prefix that cannot be used
   * is then left to them. Names that are lastcall's alone are strict, so that no slip of the pen is without effect.
   */
  readonly shared?: true;
}

export interface Setting<T> extends Description {
  readonly type: ValueType<T>;
  /** Returns the value of a setting that is not set, and its origin. */
  readDefault(env: Environment, cwd: string): { readonly parsed: Parsed<T>; readonly from?: string };
}

/** Describes a setting that always has a value: its fallback is parsed like a value that was set. */
function setting<T>(row: Description & { readonly type: ValueType<T> }): Setting<T> {
  return { ...row, readDefault: (_env, cwd) => ({ parsed: row.type.parse(row.fallback, cwd) }) };
}

/** Describes a setting that may have no value, or a default that is derived from the environment. */
function optional<T>({
  type,
  derive,
  ...description
}: Description & {
  readonly type: ValueType<T>;
  readonly derive?: (env: Environment) => DerivedDefault | undefined;
}): Setting<T | undefined> {
  return {
    ...description,
    // A missing value is printed as an empty text.
    type: { ...type, print: (value) => (value === undefined ? '' : type.print(value)) },
    readDefault: (env, cwd) => {
      const derived = derive?.(env);
      if (derived === undefined) return { parsed: { value: undefined } };
      return { parsed: type.parse(derived.text, cwd), from: derived.from };
    },
  };
}

const table = {
  botToken: optional({
    name: 'BOT_TOKEN',
    type: token,
    fallback: 'none',
    secret: true,
    help: "The bot's token from @BotFather. Needed only if lastcall builds the bot. It may also come from BOT_TOKEN_FILE or, under systemd, from LoadCredential=bot-token:FILE, but from only one of the three.",
  }),
  botTokenFile: optional({
    name: 'BOT_TOKEN_FILE',
    type: path,
    fallback: 'none',
    help: 'A file that holds the token and nothing else.',
  }),
  botModule: optional({
    name: 'BOT_MODULE',
    type: path,
    fallback: 'the example bot',
    help: 'The file of the bot to run. `lastcall run FILE` takes precedence. Under a supervisor, one of the two is needed.',
  }),
  telegramApiRoot: optional({
    name: 'TELEGRAM_API_ROOT',
    type: rootUrl,
    fallback: "Telegram's",
    help: 'The URL of the Bot API server.',
  }),
  allowedUpdates: setting({
    name: 'ALLOWED_UPDATES',
    shared: true,
    type: updateKinds,
    fallback: '[]',
    help: "The kinds of updates to request, separated by commas; [] is Telegram's default set. Always sent, because the server otherwise keeps the kinds that the previous program requested.",
  }),
  pollTimeoutMs: setting({
    name: 'POLL_TIMEOUT',
    shared: true,
    type: duration({ leastMs: 0, mostMs: 50_000, stepMs: 1_000 }),
    fallback: '50s',
    help: 'How long Telegram may hold a poll open while there are no updates. A poll whose answer has not begun 10 s later is given up; one that has goes on for as long as it arrives.',
  }),
  concurrency: setting({
    name: 'CONCURRENCY',
    shared: true,
    type: integer({ least: 1 }),
    fallback: '256',
    help: 'How many handlers may run at once.',
  }),
  handlerTimeoutMs: setting({
    name: 'HANDLER_TIMEOUT',
    shared: true,
    type: duration({ leastMs: 1 }),
    fallback: '90s',
    help: 'How long a handler may take before its ctx.signal is aborted.',
  }),
  order: setting({
    name: 'ORDER',
    shared: true,
    type: choice(['chat', 'user', 'none']),
    fallback: 'chat',
    help: "What updates are handled in order by, one at a time. chat: the chat. user: each user in a chat; what has no user, such as a post in a channel, by the chat. none: all side by side. A bot module's orderKey takes precedence.",
  }),
  startTimeoutMs: setting({
    name: 'START_TIMEOUT',
    shared: true,
    type: duration({ leastMs: 1 }),
    fallback: '60s',
    help: 'How long loading the bot and the start hooks may take, connecting to Telegram not included: after this time, at most a minute, the supervisor is told that the start has succeeded though Telegram is out of reach.',
  }),
  stopTimeoutMs: setting({
    name: 'STOP_TIMEOUT',
    shared: true,
    type: duration({ leastMs: 1 }),
    fallback: '90s',
    help: 'How long a stop may take. Under pm2, a smaller kill_timeout shortens it.',
  }),
  graceMs: optional({
    name: 'GRACE',
    shared: true,
    type: duration({ leastMs: 1 }),
    fallback: "in a container its runtime's",
    help: 'How long after SIGTERM a container is killed: stop_grace_period (Docker), terminationGracePeriodSeconds (Kubernetes), by default 10 s and 30 s. A stop may take STOP_TIMEOUT, or a little less than this.',
  }),
  stopAfterMs: optional({
    name: 'STOP_AFTER',
    shared: true,
    type: duration({ leastMs: 1 }),
    fallback: 'never',
    help: 'Stop cleanly after this time. Under a supervisor, this means a periodic restart.',
  }),
  conflictPatienceMs: setting({
    name: 'CONFLICT_PATIENCE',
    type: duration({ leastMs: 0 }),
    fallback: '2m',
    help: 'How long to continue while another program polls with the same token, before exit 75.',
  }),
  botFailure: setting({
    name: 'BOT_FAILURE',
    type: choice(['keep-others', 'stop-all']),
    fallback: 'keep-others',
    help: 'What becomes of the other bots of a program when one cannot be polled any more (its token was revoked). keep-others: they go on if the program handles the rejection of launch(), as under Node. stop-all: the run ends.',
  }),
  deleteWebhook: setting({
    name: 'DELETE_WEBHOOK',
    type: yesNo,
    fallback: 'yes',
    help: 'Whether to remove a webhook at the start. If not, a webhook that is set ends the start with exit 78.',
  }),
  dropPending: setting({
    name: 'DROP_PENDING',
    type: yesNo,
    fallback: 'no',
    help: 'Whether to drop, at the start, the updates that wait at Telegram. Those in the inbox are never dropped.',
  }),
  inbox: setting({
    name: 'INBOX',
    shared: true,
    type: inboxSetting,
    fallback: 'journal',
    help: 'Where updates are kept until their handler has ended. journal: on disk, under STATE_DIR; none is lost, however the process ends. memory: at Telegram; the current batch, at most 100 updates, is confirmed once it is handled, and is sent again after a kill. postgres://…: in PostgreSQL, which several hosts share (`npm install pg`). Without sslmode in the URL the connection is not encrypted; verify-full, and require just the same, encrypts and verifies the certificate (against sslrootcert=FILE, if given); no-verify only encrypts.',
  }),
  inboxFile: optional({
    name: 'INBOX_FILE',
    type: path,
    fallback: 'none',
    help: 'A file that holds the value of INBOX and nothing else, so that the password of a database is in no environment. Under systemd, LoadCredential=inbox:FILE does the same. Only one of the three may be set.',
  }),
  durability: setting({
    name: 'DURABILITY',
    type: choice(['power', 'process']),
    fallback: 'power',
    help: 'What the updates in the journal survive. power: a power cut. process: only the death of the process, which is faster.',
  }),
  maxAttempts: setting({
    name: 'MAX_ATTEMPTS',
    shared: true,
    type: integer({ least: 0 }),
    fallback: '3',
    help: 'After how many deaths and cuts in a row an update is given up and kept as a dead letter (`lastcall inbox`): runs that died while handling it, and stops that had to cut its handler; 0 means never. With 1, updates that were handled at the same time are given up too.',
  }),
  retries: setting({
    name: 'RETRIES',
    shared: true,
    type: integer({ least: 0 }),
    fallback: '0',
    help: 'How often an update is tried again after its handler failed with an error of its own, first after up to 5 s, then after twice as long each time; its chat waits. Not needed for outages of Telegram, after which updates are always tried again.',
  }),
  deadLimit: setting({
    name: 'DEAD_LIMIT',
    type: integer({ least: 1 }),
    fallback: '100000',
    help: 'How many dead letters are kept; in the journal, also at most 256 MiB of them. The oldest are dropped first, which the log says (`inbox.dead-dropped`).',
  }),
  deadAgeMs: setting({
    name: 'DEAD_AGE',
    type: age,
    fallback: '30d',
    help: 'How long dead letters are kept.',
  }),
  inboxLimit: setting({
    name: 'INBOX_LIMIT',
    type: integer({ least: 1 }),
    fallback: '1000000',
    help: 'How many updates may wait in the journal or the database before no more are fetched from Telegram, which keeps them for a day. None are fetched either while the log of a journal has 4 GiB or the disk has less than 64 MiB left.',
  }),
  stateDir: optional({
    name: 'STATE_DIR',
    type: path,
    fallback: "systemd's STATE_DIRECTORY, else ~/.local/state/lastcall",
    derive: deriveStateDir,
    help: 'The folder for state: in it, a folder for each bot holds the inbox and how the last run ended. XDG_STATE_HOME stands for ~/.local/state where it is set.',
  }),
  metrics: optional({
    name: 'METRICS',
    shared: true,
    type: listenAddress,
    fallback: 'none',
    help: 'Where to serve metrics for Prometheus (/metrics) and health checks (/livez, /readyz): an address with a port, such as 127.0.0.1:9464. Needs `npm install prom-client`. What is served is for all who reach the address.',
  }),
  onLocked: setting({
    name: 'ON_LOCKED',
    type: choice(['wait', 'exit']),
    fallback: 'wait',
    help: 'What to do if another process on this machine runs the bot. wait: stand by until that process ends. exit: exit 75.',
  }),
  logLevel: setting({
    name: 'LOG_LEVEL',
    shared: true,
    type: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    fallback: 'info',
    help: 'Which lines to log: those of this level and above.',
  }),
  logFormat: setting({
    name: 'LOG_FORMAT',
    shared: true,
    type: choice(['auto', 'json', 'pretty']),
    fallback: 'auto',
    help: 'json: one object per line. pretty: for people to read. auto: pretty on a terminal, otherwise json.',
  }),
  envFile: setting({
    name: 'ENV_FILE',
    type: path,
    fallback: '.env',
    notInEnvFile: true,
    help: 'The file with settings that the environment does not have.',
  }),
};

/** The values of all settings, in the units of their names. A setting without a value or default is undefined. */
export type Config = {
  readonly [K in keyof typeof table]: (typeof table)[K] extends Setting<infer T> ? T : never;
};
export type SettingKey = keyof Config;

/** The settings, in the order in which help and README list them. */
export const settings: { readonly [K in SettingKey]: Setting<Config[K]> } = table;
export const settingKeys: readonly SettingKey[] = Object.keys(table).filter(
  (key): key is SettingKey => key in table,
);

/** Whether the object has a property, even an undefined one, for every setting. */
export function isComplete<T extends { readonly [K in SettingKey]: unknown }>(
  partial: Partial<T>,
): partial is T {
  return settingKeys.every((key) => key in partial);
}

/** Returns the setting's flag without its dashes, or undefined for a secret, which has none. */
export function flagOf({ name, secret }: Pick<Description, 'name' | 'secret'>): string | undefined {
  return secret ? undefined : inFlagStyle(name);
}

export const PREFIX = 'LASTCALL_';

/** Returns the name of the setting that nobody else can mean: `LASTCALL_POLL_TIMEOUT`. */
export function prefixedName({ name }: Pick<Description, 'name'>): string {
  return `${PREFIX}${name}`;
}

/** Turns `POLL_TIMEOUT` or `poll_timeout` into `poll-timeout`. */
export function inFlagStyle(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** Returns the first folder that systemd made for the unit, else the folder of the XDG specification. */
function deriveStateDir(env: Environment): DerivedDefault | undefined {
  const [systemd = ''] = (env['STATE_DIRECTORY'] ?? '').split(':');
  if (systemd !== '') return { text: systemd, from: 'STATE_DIRECTORY' };
  const xdg = env['XDG_STATE_HOME'] ?? '';
  // The specification says to ignore relative paths.
  if (isAbsolute(xdg)) return { text: join(xdg, 'lastcall'), from: 'XDG_STATE_HOME' };
  // A user without an entry on this machine has no home directory.
  const home = env['HOME'] || tryOr<string | undefined>(homedir, undefined);
  if (home === undefined) return undefined;
  return { text: join(home, '.local', 'state', 'lastcall'), from: 'the home directory' };
}
