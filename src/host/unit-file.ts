/** Fits the shipped systemd unit to a host: sets its paths, and relaxes its hardening where the bot needs it. */
import { dirname, join, relative } from 'node:path';
import type { Link } from './bot-project.js';
import { type HiddenPlaces, isHidden, isInHome, isInside, isWholeHome } from './hidden-places.js';

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
  /** Other paths that the bot reads: its project, the packages that it uses, its token file. */
  readonly reads: readonly string[];
  /** Links in the bot's folders that lead to something that it may use. */
  readonly links: readonly Link[];
  /** Settings files in folders around the bot, which it may read. */
  readonly settingsAround: readonly string[];
  readonly hidden: HiddenPlaces;
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
  /** The paths in hidden places that the unit opens. It mounts each into new folders, which everybody may read. */
  readonly opened: readonly string[];
}

/** The paths that the unit has to open for the bot. */
interface Access {
  /** The bot's own paths: it may write to them if it has a user, and otherwise only read them. */
  readonly own: readonly string[];
  /** Other paths that the bot reads and the unit would hide. */
  readonly readOnly: readonly string[];
  /** All of these that the unit would hide. */
  readonly opened: readonly string[];
}

/** Returns the unit with the facts filled in. @param template the text of the shipped lastcall.service */
export function fitUnit(template: string, facts: UnitFacts): FittedUnit {
  const access = accessOf(facts);
  const values = valuesOf(facts, access);
  const lines = template
    .slice(template.indexOf('[Unit]'))
    .split('\n')
    .flatMap((line) => values[/^(\w+)=/.exec(line)?.[1] ?? ''] ?? [line]);
  const { opened } = access;
  return { text: `${header(facts)}\n${lines.join('\n')}`, warnings: warningsOf(facts, access), opened };
}

function accessOf({ node, main, module, folder, reads, stateDir, user, hidden }: UnitFacts): Access {
  const own = outermost([
    folder,
    ...(module === undefined ? [] : [dirname(module)]),
    ...(user === undefined || stateDir === undefined ? [] : [stateDir]),
  ]);
  // Node's libraries are beside its `bin`.
  const prefix = dirname(dirname(node));
  const readable = outermost([prefix, ...reads, dirname(main)].filter((path) => isHidden(path, hidden)));
  const readOnly = readable.filter((path) => !own.some((folder) => isInside(path, folder)));
  return { own, readOnly, opened: [...readOnly, ...own.filter((path) => isHidden(path, hidden))] };
}

/** Returns, for each key, the lines that replace the template's line with this key. */
function valuesOf(
  facts: UnitFacts,
  { own, readOnly, opened }: Access,
): Readonly<Record<string, readonly string[]>> {
  const { name, node, main, module, folder, user, bringsToken, hidden } = facts;
  const opensHome = opened.some((path) => isInHome(path, hidden));
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
      `ProtectHome=${opensHome ? 'tmpfs' : 'yes'}`,
      ...(user === undefined
        ? pathList('BindReadOnlyPaths', outermost(opened))
        : [
            ...pathList('BindReadOnlyPaths', readOnly),
            ...pathList(
              'BindPaths',
              own.filter((path) => opened.includes(path)),
            ),
            ...pathList(
              'ReadWritePaths',
              own.filter((path) => !opened.includes(path)),
            ),
          ]),
    ],
    ...(user !== undefined && {
      DynamicUser: [`User=${user}`],
      // RemoveIPC=yes would remove the shared memory of the user's other programs.
      RemoveIPC: ['RemoveIPC=no'],
    }),
  };
}

function warningsOf(facts: UnitFacts, access: Access): string[] {
  const { name, node, user, stateDir, hidden } = facts;
  const { own, opened } = access;
  const warnings: string[] = [];
  if (opened.length > 0)
    warnings.push(
      `the unit hides home directories and /tmp from the bot; it now sees ${list(opened)}, because ${isHidden(node, hidden) ? 'node' : 'the bot'} is there. A node from the system's packages and a bot under /srv would need no such exception`,
    );
  if (opened.some((path) => isWholeHome(path, hidden)))
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
  return [...warnings, ...closedInWords(facts, access)];
}

/** Names what the unit keeps from the bot although the bot may use it, with the line that would open it. */
function closedInWords(
  { links, settingsAround, user, hidden }: UnitFacts,
  { own, opened }: Access,
): string[] {
  const isClosed = (path: string) =>
    isHidden(path, hidden) && !opened.some((folder) => isInside(path, folder));
  const isReadOnly = (path: string) =>
    user !== undefined && !isHidden(path, hidden) && !own.some((folder) => isInside(path, folder));
  return [
    ...settingsAround
      .filter(isClosed)
      .map((path) => `the bot does not see ${path}: if it reads it, add BindReadOnlyPaths=${path}`),
    ...links
      .filter(({ target }) => isClosed(target))
      .map(
        ({ path, target }) =>
          `the bot does not see ${target}, to which ${path} leads: if it uses it, add BindReadOnlyPaths= or BindPaths=${target}`,
      ),
    ...links
      .filter(({ target }) => isReadOnly(target))
      .map(
        ({ path, target }) =>
          `the bot cannot write to ${target}, to which ${path} leads: if it does, add ReadWritePaths=${target}`,
      ),
  ];
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
