/** The table of commands: dispatch, help and completion come from it. The code of a command is loaded when it runs. */
import type { ProcessContext } from './command.js';
import { type Options, options } from './options.js';

export interface CommandEntry {
  /** What the command does, in one line. */
  readonly summary: string;
  /** What may follow the command's name, one line a form. */
  readonly usage: readonly string[];
  /** Whole command lines with what they do. */
  readonly examples?: readonly (readonly [command: string, does: string])[];
  /** What else there is to know, in a few sentences. */
  readonly more?: string;
  readonly options?: Options;
  /** Whether the command takes flags for settings. */
  readonly takesSettings?: true;
  /** Whether a file may follow. */
  readonly takesFile?: true;
  /** The words one of which may follow. */
  readonly words?: readonly string[];
  /** Whether the command prints its help itself. */
  readonly helpsItself?: true;
  load(): Promise<(context: ProcessContext) => Promise<number>>;
}

export type Commands = Readonly<Record<string, CommandEntry>>;

export const commands: Commands = {
  run: {
    summary: 'run the bot in FILE as a daemon',
    usage: ['[FILE] [SETTINGS] [-- ARGUMENTS]'],
    more: 'Without FILE it runs BOT_MODULE, else the example bot. The arguments after -- are for the bot program. Ctrl-C stops the run in order, a second one hastens the stop, a third ends it at once.',
    examples: [
      ['lastcall run bot.js', 'with the settings of the environment and of .env'],
      ['lastcall run bot.js --log-level=debug -- --verbose', 'a setting, and an argument for the bot'],
    ],
    takesSettings: true,
    takesFile: true,
    load: async () => (await import('./run.js')).run,
  },
  status: {
    summary: 'show how the bots on this host do',
    usage: ['[FILE] [--bot BOT] [--json | --watch]'],
    more: 'Asks the running bots. Where none runs, it shows what is on disk, and says so. With FILE, only the bot of the token that is set here. Looks in STATE_DIR and /var/lib, as root also in the homes of all users. Exits 0 if each bot has answered, else 1.',
    examples: [
      ['sudo lastcall status', 'all bots of this host'],
      ['lastcall status --bot 123456789 --watch', 'one bot, again every second'],
    ],
    options: options.status,
    takesSettings: true,
    takesFile: true,
    load: async () => (await import('./status.js')).status,
  },
  doctor: {
    summary: 'find what is wrong around a bot, and what to do',
    usage: ['[FILE] [--json] [--poll] [SETTINGS]'],
    more: 'Looks at the settings, the program, Telegram, the state folder, the inbox and the supervisor, and leaves all as it is. Start it in the folder of the bot, as the user that runs the bot or as root: of a bot under systemd it takes the settings of the unit. --poll finds a program on another host that polls with the same token, and ends its poll, of which a bot on plain Telegraf or grammY dies; it is not done where lastcall runs the bot or may run it, nor while a webhook is set. Units of systemctl --user are not looked at. Exits 1 if something is wrong, else 0.',
    examples: [
      ['sudo lastcall doctor', 'the bot of the unit that runs in this folder'],
      ['lastcall doctor bot.js', 'with the settings of the environment and of .env'],
    ],
    options: options.doctor,
    takesSettings: true,
    takesFile: true,
    load: async () => (await import('./doctor.js')).doctor,
  },
  history: {
    summary: 'show when the bots ran, and why each run ended',
    usage: [
      '[FILE] [--bot BOT] [--last N] [--since TIME] [--json]',
      '[FILE] [--bot BOT] [--since TIME] --html FILE | --svg FILE',
    ],
    more: 'Each run leaves its begin, a sample a minute and its receipt in STATE_DIR; a run that was killed is named by the next one. Starts that failed before their bot was known are shown, too. GAP is how long nobody polled before the run did. With INBOX=postgres://… no history is kept. Looks where `lastcall status` looks. Exits 1 if there is no history.',
    examples: [
      ['lastcall history --since 24h', 'why it restarted last night'],
      ['lastcall history --html history.html', 'the last week as a page for a browser'],
    ],
    options: options.history,
    takesSettings: true,
    takesFile: true,
    load: async () => (await import('./history.js')).history,
  },
  log: {
    summary: 'change what a running bot logs, for a time',
    usage: ['--level LEVEL [--for TIME] [--bot BOT]'],
    more: 'The level goes back by itself. Logs that the bot has given a level of their own keep it.',
    examples: [['lastcall log --level debug --for 5m', 'see each poll and each retry for 5 minutes']],
    options: options.log,
    takesSettings: true,
    load: async () => (await import('./log.js')).log,
  },
  metrics: {
    summary: 'list the metrics, or print alert rules or a dashboard',
    usage: ['[--rules | --dashboard]'],
    examples: [
      ['lastcall metrics --rules > bot.rules.yml', 'for Prometheus'],
      ['lastcall metrics --dashboard > bot.json', 'to import in Grafana'],
    ],
    options: options.metrics,
    load: async () => (await import('./metrics.js')).metrics,
  },
  inbox: {
    summary: "list, show, retry or drop the updates in a bot's inbox",
    usage: [
      '[list] [--all] [--waiting | --dead] [--json]',
      'show ID',
      'retry ID… | --all',
      'drop ID… | --dead',
      'export [--waiting | --dead]',
      'move database | journal',
      'migrate',
    ],
    more: 'retry and drop take --why, --since and --kind in place of ids. Each takes --bot BOT where there are several. export prints one JSON object a line, with the content of the updates. move brings what waits in the journal to the database of INBOX, or back; migrate makes the tables of that database.',
    examples: [
      ['lastcall inbox', 'what runs, waits and was given up'],
      ['lastcall inbox retry --why failed --since 2h', 'try again what has failed in the last 2 hours'],
    ],
    options: options.inbox,
    takesSettings: true,
    words: ['list', 'show', 'retry', 'drop', 'export', 'move', 'migrate'],
    load: async () => (await import('./inbox.js')).inbox,
  },
  config: {
    summary: 'print the effective settings and the source of each',
    usage: ['[--json] [SETTINGS]'],
    more: '`lastcall help settings` describes the settings. Exits 78 if the daemon would not start with them.',
    examples: [['lastcall config', 'what is in force here, and where it comes from']],
    options: options.config,
    takesSettings: true,
    load: async () => (await import('./config.js')).config,
  },
  unit: {
    summary: 'print a systemd unit for this host',
    usage: ['[FILE] [--name UNIT] [--user NAME]'],
    more: 'The unit runs the bot in FILE, else BOT_MODULE of .env, else the example bot; start this in the folder of the bot. What the unit opens of hidden places, and what the bot may miss, is said on stderr.',
    examples: [
      ['lastcall unit bot.js | sudo tee /etc/systemd/system/lastcall.service', 'install the unit'],
      ['lastcall unit bot.js --name shop', 'one of several bots on this host'],
    ],
    options: options.unit,
    takesFile: true,
    load: async () => (await import('./unit.js')).unit,
  },
  demo: {
    summary: 'run the example bot with made-up chats, without Telegram',
    usage: ['[--for TIME] [--page]', '--hosts N [--database URL]'],
    examples: [
      ['lastcall demo --for 10s', 'see it at work for 10 s; it needs no token'],
      ['lastcall demo --page', 'join in from a browser, and break what you like'],
      ['lastcall demo --hosts 3', 'see what becomes of the messages when hosts fail'],
    ],
    options: options.demo,
    load: async () => (await import('./demo.js')).demo,
  },
  sandbox: {
    summary: 'run a local Bot API server with a page to test bots',
    usage: ['[--port N] [--host-token TOKEN]… [--host-name NAME]… [--say TEXT] [-- FILE [ARGUMENTS]]'],
    options: options.sandbox,
    helpsItself: true,
    load: async () => (await import('./sandbox.js')).sandbox,
  },
  probe: {
    summary: 'tell whether the bot in this container makes progress',
    usage: [''],
    more: 'Exits 0 if it does, else 1.',
    examples: [['HEALTHCHECK CMD ["lastcall", "probe"]', 'in a Dockerfile']],
    load: async () => (await import('./probe.js')).probe,
  },
  completion: {
    summary: 'print what makes a shell complete commands and flags',
    usage: ['bash | zsh'],
    examples: [
      ['source <(lastcall completion bash)', 'in ~/.bashrc'],
      ['source <(lastcall completion zsh)', 'in ~/.zshrc, after compinit'],
    ],
    words: ['bash', 'zsh'],
    load: async () => (await import('./completion.js')).completion,
  },
  help: {
    summary: 'describe a command, or the settings',
    usage: ['[COMMAND | settings]'],
    examples: [['lastcall help settings', 'all settings, with their defaults']],
    load: async () => (await import('./help.js')).help,
  },
  version: {
    summary: 'print the version',
    usage: [''],
    load: async () => (await import('./help.js')).version,
  },
};

export const commandNames: readonly string[] = Object.keys(commands);

/** Returns the command of this name, or undefined if there is none. */
export function findCommand(name: string): CommandEntry | undefined {
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}
