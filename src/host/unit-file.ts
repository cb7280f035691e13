/** Fits the shipped systemd unit to a host: sets its paths, and relaxes its hardening where the bot needs it. */
import { dirname, isAbsolute, join, relative, sep } from 'node:path';

/** All paths are absolute, with links resolved. */
export interface UnitFacts {
  /** The unit's name without `.service`. */
  readonly name: string;
  /** The node executable. */
  readonly node: string;
  /** lastcall's main file. */
  readonly main: string;
  /** The bot module; undefined for the example bot. */
  readonly module: string | undefined;
  /** The working directory. */
  readonly folder: string;
  /** Other paths that the bot reads: its package, the packages that it uses, its token file. */
  readonly reads: readonly string[];
  /** STATE_DIR, if the settings beside the bot set it. */
  readonly stateDir: string | undefined;
  /** The user that runs the bot; undefined for a dynamic user. */
  readonly user: string | undefined;
  /** Whether the settings beside the bot say where the token is. */
  readonly bringsToken: boolean;
}

export interface FittedUnit {
  readonly text: string;
  /** Sentences on what was relaxed, and what may not work. */
  readonly warnings: readonly string[];
}

/** Directories that ProtectHome= hides. */
const homes = ['/home', '/root', '/run/user'];
/** Directories that PrivateTmp= hides. */
const temporary = ['/tmp', '/var/tmp'];

/** The paths that the unit has to open for the bot. */
interface Access {
  /** The bot's own paths: it may write to them if it has a user, and otherwise only read them. */
  readonly own: readonly string[];
  /** Other paths that the bot reads and the unit would hide. */
  readonly readOnly: readonly string[];
}

/** Returns the unit with the facts filled in. @param template the text of the shipped lastcall.service */
export function fitUnit(template: string, facts: UnitFacts): FittedUnit {
  const access = accessOf(facts);
  const values = valuesOf(facts, access);
  const lines = template
    .slice(template.indexOf('[Unit]'))
    .split('\n')
    .flatMap((line) => values[/^(\w+)=/.exec(line)?.[1] ?? ''] ?? [line]);
  return { text: `${header(facts)}\n${lines.join('\n')}`, warnings: warningsOf(facts, access) };
}

function accessOf({ node, main, module, folder, reads, stateDir, user }: UnitFacts): Access {
  const own = outermost([
    folder,
    ...(module === undefined ? [] : [dirname(module)]),
    ...(user === undefined || stateDir === undefined ? [] : [stateDir]),
  ]);
  // Node's libraries are beside its `bin`.
  const prefix = dirname(dirname(node));
  const readable = outermost([prefix, ...reads, dirname(main)].filter(isHidden));
  return { own, readOnly: readable.filter((path) => !own.some((folder) => isInside(path, folder))) };
}

/** Returns, for each key, the lines that replace the template's line with this key. */
function valuesOf(facts: UnitFacts, { own, readOnly }: Access): Readonly<Record<string, readonly string[]>> {
  const { name, node, main, module, folder, user, bringsToken } = facts;
  const hiddenOwn = own.filter(isHidden);
  const file = module !== undefined && isInside(module, folder) ? relative(folder, module) : module;
  // A supervised run starts the example bot only by its name.
  const command = [node, main, 'run', file ?? join(dirname(main), 'bot.js')];
  return {
    ...(name !== 'lastcall' && { Description: [`Description=Telegram bot ${name} (lastcall)`] }),
    WorkingDirectory: [`WorkingDirectory=${escapedSpecifiers(folder)}`],
    ExecStart: [`ExecStart=${command.map(quotedArgument).join(' ')}`],
    LoadCredential: bringsToken
      ? [
          '# The settings beside the bot say where its token is.',
          '#LoadCredential=bot-token:/etc/lastcall/bot-token',
        ]
      : [`LoadCredential=bot-token:/etc/${name}/bot-token`],
    EnvironmentFile: [`EnvironmentFile=-/etc/${name}/${name}.env`],
    StateDirectory: [`StateDirectory=${name}`],
    ProtectHome: [
      `ProtectHome=${[...readOnly, ...hiddenOwn].some(isInHome) ? 'tmpfs' : 'yes'}`,
      ...pathList('BindReadOnlyPaths', readOnly),
      ...pathList(user === undefined ? 'BindReadOnlyPaths' : 'BindPaths', hiddenOwn),
      ...(user === undefined
        ? []
        : pathList(
            'ReadWritePaths',
            own.filter((path) => !isHidden(path)),
          )),
    ],
    ...(user !== undefined && {
      DynamicUser: [`User=${user}`],
      // RemoveIPC=yes would remove the shared memory of the user's other programs.
      RemoveIPC: ['RemoveIPC=no'],
    }),
  };
}

function warningsOf({ name, node, user, stateDir }: UnitFacts, { own, readOnly }: Access): string[] {
  const opened = [...readOnly, ...own.filter(isHidden)];
  const warnings: string[] = [];
  if (opened.length > 0)
    warnings.push(
      `the unit hides home directories and /tmp from the bot; it now sees ${list(opened)}, because ${isHidden(node) ? 'node' : 'the bot'} is there. A node from the system's packages and a bot under /srv would need no such exception`,
    );
  if (opened.some((path) => homes.includes(dirname(path)) || path === '/root'))
    warnings.push('that is a whole home directory: move the bot into a folder of its own');
  warnings.push(
    user === undefined
      ? `the bot cannot write to ${list(own)}: it should keep its data in $STATE_DIRECTORY, /var/lib/${name}. If it writes to its own folder, make a user the owner of the folder, and use --user`
      : `the bot may write to ${list(own)}, including its own code, in case it keeps its data there; if it does not, remove BindPaths= or ReadWritePaths= (or make it BindReadOnlyPaths=)`,
  );
  if (user === undefined && stateDir !== undefined)
    warnings.push(
      `the bot cannot write to ${stateDir}, which STATE_DIR names, and would not start: remove STATE_DIR from the settings beside the bot, or make a user the owner of the folder, and use --user`,
    );
  return warnings;
}

function header({ name, module, bringsToken }: UnitFacts): string {
  const steps = [
    `lastcall unit … > /etc/systemd/system/${name}.service`,
    ...(bringsToken
      ? []
      : [`install -Dm600 /dev/stdin /etc/${name}/bot-token     (paste the token, Ctrl-D)`]),
    `systemctl enable --now ${name}`,
  ];
  return `# ${module ?? "lastcall's example bot"}, fitted to this host by \`lastcall unit\`. To install it, as root:\n#\n${steps
    .map((step) => `#   ${step}\n`)
    .join('')}`;
}

/** Whether the shipped unit hides the path from the bot. */
export function isHidden(path: string): boolean {
  return isInHome(path) || temporary.some((place) => isInside(path, place));
}

const isInHome = (path: string): boolean => homes.some((place) => isInside(path, place));

function isInside(path: string, folder: string): boolean {
  const route = relative(folder, path);
  return route === '' || !(route === '..' || route.startsWith(`..${sep}`) || isAbsolute(route));
}

/** Returns the distinct paths that are not inside another of the paths. */
function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => other !== path && isInside(path, other)));
}

const escapedSpecifiers = (text: string): string => text.replaceAll('%', '%%');

/** Quotes a word of ExecStart=, where `$` also starts a variable. */
function quotedArgument(text: string): string {
  const escaped = escapedSpecifiers(text).replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : quoted(escaped);
}

/** Quotes a path of a list, where a colon separates source and destination. */
function quotedPath(path: string): string {
  const escaped = escapedSpecifiers(path).replaceAll(/[\\:]/g, '\\$&');
  return /^[\w@%+=,./-]+$/.test(escaped) ? escaped : quoted(escaped);
}

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

/** Returns one line with the key and the paths, or no line without paths. */
const pathList = (key: string, paths: readonly string[]): string[] =>
  paths.length === 0 ? [] : [`${key}=${paths.map(quotedPath).join(' ')}`];

const list = (paths: readonly string[]): string => paths.join(' and ');
