/**
 * Every error lastcall raises itself: one table says what each code means for the exit, what usually causes it
 * and what to do next. The message, which names the particulars, comes from the place that raises it.
 */
import { ExitCode } from './exit-code.js';

interface Entry {
  readonly exitCode: ExitCode;
  readonly likelyCause: string;
  readonly nextStep: string;
}

export const errorTable = {
  CONFIG_INVALID: {
    exitCode: ExitCode.configuration,
    likelyCause: 'a setting in the environment or in .env is missing or cannot be read',
    nextStep: 'correct the settings named above; `lastcall config` shows what is in force',
  },
  COMMAND_MISUSED: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the command was given something that it cannot make sense of, or too little',
    nextStep: '`lastcall help` lists the commands, and what each of them takes',
  },
  TOKEN_REFUSED: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the token was revoked, mistyped, or belongs to another Bot API server',
    nextStep: 'get the current token from @BotFather and set it as BOT_TOKEN, then start again',
  },
  WEBHOOK_ACTIVE: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the bot still has a webhook set, and DELETE_WEBHOOK=no forbids removing it',
    nextStep: 'remove the webhook with deleteWebhook, or set DELETE_WEBHOOK=yes',
  },
  WEBHOOK_LAUNCH: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the program calls bot.launch({ webhook: … })',
    nextStep:
      'lastcall runs bots by long polling: call bot.launch() without a webhook, or run this bot without lastcall',
  },
  BOT_MODULE_NOT_FOUND: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the path is wrong, or relative to another working directory',
    nextStep: 'check BOT_MODULE (or the file given to `lastcall run`) against the working directory',
  },
  BOT_MODULE_FAILED: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the bot module threw while it was loaded',
    nextStep:
      'mend the error named above (a missing package: `npm install`); `node FILE` shows it without lastcall',
  },
  BOT_MODULE_UNUSABLE: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the module neither exports a bot nor calls bot.launch(), or waits for something that never comes',
    nextStep:
      'export default a function ({ bot }) => …, or a Telegraf instance, or call bot.launch(); raise START_TIMEOUT if it only needs longer',
  },
  POLL_CONFLICT: {
    exitCode: ExitCode.conflict,
    likelyCause: 'another process polls with the same token, perhaps on another host',
    nextStep: 'find and stop the other process; if you cannot, revoke the token with @BotFather',
  },
  POLL_REJECTED: {
    exitCode: ExitCode.fault,
    likelyCause: 'Telegram rejects the request itself, and has for minutes',
    nextStep: 'read the description above; if the settings are right, this is a bug of lastcall',
  },
  INTAKE_FAILED: {
    exitCode: ExitCode.fault,
    likelyCause: 'the inbox could not take updates, or this is a bug of lastcall',
    nextStep: 'read the cause; if the disk is full or read-only, mend that, else report it',
  },
  INBOX_UNAVAILABLE: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the state directory cannot be made, or cannot be written to by this user',
    nextStep:
      'set STATE_DIR to a folder that this user can write to (systemd: StateDirectory=); or set INBOX=memory, which keeps nothing on disk',
  },
  INBOX_FOREIGN: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the folders in the state directory were renamed or copied',
    nextStep: 'give each bot its own folder back, or move this one out of the way; nothing in it was changed',
  },
  INBOX_NEWER: {
    exitCode: ExitCode.configuration,
    likelyCause: 'another version of lastcall has worked with this inbox',
    nextStep:
      'run that version again; or move the folder out of the way, if what waits in it need not be handled',
  },
  INBOX_IN_USE: {
    exitCode: ExitCode.conflict,
    likelyCause:
      'the same bot runs in another container or on another machine, with the same state directory',
    nextStep: 'stop the other process, or give each bot a STATE_DIR of its own',
  },
  INBOX_DISK: {
    exitCode: ExitCode.fault,
    likelyCause: 'the disk is full, has become read-only, or fails',
    nextStep:
      'read the cause; make room, or look after the disk. Nothing was confirmed that is not safe: what is missing comes again',
  },
  INBOX_NOT_FOUND: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the bot keeps its state elsewhere (a systemd unit, or another user), has never run with INBOX=journal, or is another one',
    nextStep:
      "set STATE_DIR to where the bot's log says that its inbox is (a systemd unit's: /var/lib/NAME), and BOT_TOKEN or --bot to the bot",
  },
  INBOX_AMBIGUOUS: {
    exitCode: ExitCode.configuration,
    likelyCause: 'several bots keep their state in the same place',
    nextStep: 'say which is meant: --bot with its id or the name of its folder; or set BOT_TOKEN',
  },
  INBOX_FORBIDDEN: {
    exitCode: ExitCode.configuration,
    likelyCause: 'the bot is run by another user: an inbox is open to its owner only',
    nextStep: 'run this command as the user who runs the bot (`sudo -u NAME`), or as root',
  },
  BOT_ALREADY_POLLED: {
    exitCode: ExitCode.conflict,
    likelyCause: 'the same bot is run twice at a time in this process',
    nextStep: 'stop the first run and await its outcome before starting the second',
  },
  LOCKED: {
    exitCode: ExitCode.conflict,
    likelyCause:
      'the bot runs on this machine already, under a supervisor or in a terminal, and ON_LOCKED=exit',
    nextStep: 'stop the other process; or set ON_LOCKED=wait, to stand by until it ends',
  },
  LOCK_UNAVAILABLE: {
    exitCode: ExitCode.fault,
    likelyCause:
      'the system lets this process open no local socket: no more files, or a sandbox that forbids it',
    nextStep:
      'read the cause; under systemd, RestrictAddressFamilies has to allow sockets of the unix family',
  },
  NOTIFY_UNAVAILABLE: {
    exitCode: ExitCode.configuration,
    likelyCause:
      'the installed packages are those of another platform (node_modules copied from elsewhere), or NOTIFY_SOCKET is left over from another program',
    nextStep:
      'install lastcall on this machine (`npm ci`); or set Type=exec, NotifyAccess=none and no WatchdogSec; or unset NOTIFY_SOCKET where no systemd unit runs it',
  },
  LIFECYCLE_USED: {
    exitCode: ExitCode.fault,
    likelyCause: 'run() was called twice, or a hook was added after the start',
    nextStep: 'make a new lifecycle for a new run, and add hooks before it is running',
  },
  HOOK_FAILED: {
    exitCode: ExitCode.cut,
    likelyCause: 'a start or stop function threw',
    nextStep: 'mend the error named as the cause',
  },
  HOOK_TIMED_OUT: {
    exitCode: ExitCode.cut,
    likelyCause: 'a start or stop function did not end within its time',
    nextStep:
      'let the hook heed its signal, or raise START_TIMEOUT or STOP_TIMEOUT (under pm2 its kill_timeout, too)',
  },
  DRAIN_OVERDUE: {
    exitCode: ExitCode.cut,
    likelyCause: 'handlers were still running when the time for draining had passed',
    nextStep:
      'let handlers heed ctx.signal, or raise STOP_TIMEOUT (under pm2 its kill_timeout, too); their updates come again at the next start',
  },
  HANDLER_TIMED_OUT: {
    exitCode: ExitCode.cut,
    likelyCause: 'a handler ran for longer than HANDLER_TIMEOUT',
    nextStep: 'let the handler heed ctx.signal, or raise HANDLER_TIMEOUT',
  },
  HANDLERS_EXHAUSTED: {
    exitCode: ExitCode.fault,
    likelyCause: 'more handlers than CONCURRENCY have timed out and still run',
    nextStep: 'find what they wait for (the log names their updates), and give that wait a limit',
  },
  INTERNAL: {
    exitCode: ExitCode.fault,
    likelyCause: 'something happened inside lastcall that should not be possible',
    nextStep: 'report it, with the log around it',
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof errorTable;

/** An error of lastcall's own. `message` says what happened; code, culprit and next step say what to make of it. */
export class LastcallError extends Error {
  override readonly name = 'LastcallError';
  readonly code: ErrorCode;
  /** Who or what is to blame, by the name its owner knows it by: a setting, a hook, a file, an update. */
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
