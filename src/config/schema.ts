/**
 * The settings: the only place that knows their names, kinds, defaults and help, and which are secret. The `Config` that
 * the program works with is derived from this table; so are the flags, the help and the README's table.
 */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import {
  choice,
  duration,
  integer,
  type Kind,
  type Parsed,
  path,
  rootUrl,
  type Surroundings,
  token,
  updateKinds,
  yesNo,
} from './kinds.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A default that depends on the machine; `from` says for people what it was taken from. */
interface Derived {
  readonly text: string;
  readonly from: string;
}

/** What every setting has. */
interface Description {
  /** Its environment variable. */
  readonly name: string;
  /** A sentence or two, for people. */
  readonly help: string;
  /** A secret is never shown, and has no flag: a command line can be read by every user of the machine. */
  readonly secret?: true;
  /** Decides where the settings are read from, so it cannot stand in `.env` itself. */
  readonly notInEnvFile?: true;
}

export interface Setting<T> extends Description {
  readonly kind: Pick<Kind<unknown>, 'expects' | 'bareFlag'>;
  /** What holds when it is not set, in words or as text that `parse` reads. */
  readonly fallback: string;
  parse(text: string, surroundings: Surroundings): Parsed<T>;
  /** What holds when it is not set. */
  unset(env: Environment, surroundings: Surroundings): { readonly parsed: Parsed<T>; readonly from?: string };
  /** Text that `parse` reads as the same value; empty for one that is not set and has no default. */
  print(value: T): string;
}

/** A setting that always has a value: its `fallback` is read like a value that was set. */
function setting<T>(row: Description & { kind: Kind<T>; fallback: string }): Setting<T> {
  const { kind, fallback } = row;
  return {
    ...row,
    parse: (text, surroundings) => kind.parse(text, surroundings),
    unset: (_env, surroundings) => ({ parsed: kind.parse(fallback, surroundings) }),
    print: (value) => kind.print(value),
  };
}

/** A setting that may have no value, unless one can be derived from the environment; `fallback` says so in words. */
function optional<T>(
  row: Description & { kind: Kind<T>; fallback: string; derive?: (env: Environment) => Derived | undefined },
): Setting<T | undefined> {
  const { kind, derive } = row;
  return {
    ...row,
    parse: (text, surroundings) => kind.parse(text, surroundings),
    unset: (env, surroundings) => {
      const derived = derive?.(env);
      if (derived === undefined) return { parsed: { value: undefined } };
      return { parsed: kind.parse(derived.text, surroundings), from: derived.from };
    },
    print: (value) => (value === undefined ? '' : kind.print(value)),
  };
}

const table = {
  botToken: optional({
    name: 'BOT_TOKEN',
    kind: token,
    fallback: 'none',
    secret: true,
    help: "The bot's token, from @BotFather. Needed only where lastcall builds the bot. May also come from BOT_TOKEN_FILE, or under systemd from LoadCredential=bot-token:FILE; from one of them only.",
  }),
  botTokenFile: optional({
    name: 'BOT_TOKEN_FILE',
    kind: path,
    fallback: 'none',
    help: 'A file that holds the token and nothing else.',
  }),
  botModule: optional({
    name: 'BOT_MODULE',
    kind: path,
    fallback: 'the example bot',
    help: 'The bot to run, as a file. `lastcall run FILE` comes first.',
  }),
  telegramApiRoot: optional({
    name: 'TELEGRAM_API_ROOT',
    kind: rootUrl,
    fallback: "Telegram's",
    help: 'The Bot API server.',
  }),
  allowedUpdates: setting({
    name: 'ALLOWED_UPDATES',
    kind: updateKinds,
    fallback: '[]',
    help: "The kinds of updates to ask for, separated by commas; [] is Telegram's default set. Always sent, because a server that is told nothing keeps what the previous program asked for.",
  }),
  pollTimeoutMs: setting({
    name: 'POLL_TIMEOUT',
    kind: duration({ leastMs: 0, mostMs: 50_000, stepMs: 1_000 }),
    fallback: '50s',
    help: 'How long Telegram may hold a poll open while there is nothing to say. A poll that takes 10 s more is given up.',
  }),
  concurrency: setting({
    name: 'CONCURRENCY',
    kind: integer({ least: 1 }),
    fallback: '256',
    help: 'How many chats may be at work at once.',
  }),
  handlerTimeoutMs: setting({
    name: 'HANDLER_TIMEOUT',
    kind: duration({ leastMs: 1 }),
    fallback: '90s',
    help: 'How long a handler may take before its ctx.signal is aborted.',
  }),
  startTimeoutMs: setting({
    name: 'START_TIMEOUT',
    kind: duration({ leastMs: 1 }),
    fallback: '60s',
    help: 'How long loading the bot and the start hooks may take. The network is no part of it.',
  }),
  stopTimeoutMs: setting({
    name: 'STOP_TIMEOUT',
    kind: duration({ leastMs: 1 }),
    fallback: '90s',
    help: 'How long a stop may take. Under pm2 its kill_timeout may make it shorter.',
  }),
  stopAfterMs: optional({
    name: 'STOP_AFTER',
    kind: duration({ leastMs: 1 }),
    fallback: 'never',
    help: 'Stop by itself after this time, in order. Under a supervisor that means a periodic restart.',
  }),
  conflictPatienceMs: setting({
    name: 'CONFLICT_PATIENCE',
    kind: duration({ leastMs: 0 }),
    fallback: '2m',
    help: 'How long to go on while another program polls with the same token; then exit 75.',
  }),
  deleteWebhook: setting({
    name: 'DELETE_WEBHOOK',
    kind: yesNo,
    fallback: 'yes',
    help: 'Whether to remove a webhook that is set, at the start. If not, one that is set ends the start with exit 78.',
  }),
  dropPending: setting({
    name: 'DROP_PENDING',
    kind: yesNo,
    fallback: 'no',
    help: 'Whether to throw away, at the start, what waits at Telegram. Never what is in the inbox.',
  }),
  inbox: setting({
    name: 'INBOX',
    kind: choice(['journal', 'memory']),
    fallback: 'journal',
    help: 'Where updates live until their handler has ended. journal: on disk, under STATE_DIR; none is lost, whatever ends the process. memory: at Telegram; the batch in work, at most 100 updates, is confirmed once it is handled, and comes again after a kill.',
  }),
  durability: setting({
    name: 'DURABILITY',
    kind: choice(['power', 'process']),
    fallback: 'power',
    help: 'What an update in the journal survives: a power cut, or, faster, only the death of the process.',
  }),
  maxAttempts: setting({
    name: 'MAX_ATTEMPTS',
    kind: integer({ least: 0 }),
    fallback: '3',
    help: 'After how many processes that died of it an update is given up, and kept with the dead letters (`lastcall inbox`); 0 means never. With 1 nobody can tell it from what ran beside it.',
  }),
  inboxLimit: setting({
    name: 'INBOX_LIMIT',
    kind: integer({ least: 1 }),
    fallback: '1000000',
    help: 'How many updates may wait in the journal before no more are taken from Telegram, which keeps them for a day. Nor are any taken while the journal has 4 GiB, or the disk less than 64 MiB left.',
  }),
  stateDir: optional({
    name: 'STATE_DIR',
    kind: path,
    fallback: "systemd's STATE_DIRECTORY, else ~/.local/state/lastcall",
    derive: deriveStateDir,
    help: 'Where state is kept, one folder a bot in it: its inbox, and how the last run ended.',
  }),
  onLocked: setting({
    name: 'ON_LOCKED',
    kind: choice(['wait', 'exit']),
    fallback: 'wait',
    help: 'What to do when this bot already runs on this machine: wait, standing by, until that one ends, or exit 75.',
  }),
  logLevel: setting({
    name: 'LOG_LEVEL',
    kind: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    fallback: 'info',
    help: 'What is logged: this level and those above it.',
  }),
  logFormat: setting({
    name: 'LOG_FORMAT',
    kind: choice(['auto', 'json', 'pretty']),
    fallback: 'auto',
    help: 'json: one object a line. pretty: to be read by people. auto: pretty on a terminal, else json.',
  }),
  envFile: setting({
    name: 'ENV_FILE',
    kind: path,
    fallback: '.env',
    notInEnvFile: true,
    help: 'The file to read settings from that the environment does not have.',
  }),
};

/** All settings, in units that their names tell; `undefined` is one that is not set and has no default. */
export type Config = {
  readonly [K in keyof typeof table]: (typeof table)[K] extends Setting<infer T> ? T : never;
};
export type SettingKey = keyof Config;

/** The table, in the order in which people should see it. */
export const settings: { readonly [K in SettingKey]: Setting<Config[K]> } = table;
export const settingKeys: readonly SettingKey[] = Object.keys(table).filter(isSettingKey);

function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(table, key);
}

/** The setting's flag, without its dashes; a secret has none. */
export function flagOf({ name, secret }: Pick<Description, 'name' | 'secret'>): string | undefined {
  return secret ? undefined : inFlagStyle(name);
}

/** `POLL_TIMEOUT`, `poll_timeout` → `poll-timeout` */
export function inFlagStyle(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** The folder systemd made for the unit (the first, if it made several); else the one XDG's specification names. */
function deriveStateDir(env: Environment): Derived | undefined {
  const [systemd = ''] = (env['STATE_DIRECTORY'] ?? '').split(':');
  if (systemd !== '') return { text: systemd, from: 'STATE_DIRECTORY' };
  const xdg = env['XDG_STATE_HOME'] ?? '';
  // The specification has relative paths ignored.
  if (isAbsolute(xdg)) return { text: join(xdg, 'lastcall'), from: 'XDG_STATE_HOME' };
  const home = env['HOME'] || passwordDatabaseHome();
  if (home === undefined) return undefined;
  return { text: join(home, '.local', 'state', 'lastcall'), from: 'the home directory' };
}

function passwordDatabaseHome(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined; // A user that the machine does not know has none.
  }
}
