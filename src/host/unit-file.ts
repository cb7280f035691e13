/**
 * A systemd unit fitted to a host: the shipped one, with this host's paths, and with as much of its hardening taken back
 * as what has to be seen and written needs. Decisions only; who asks has looked at the file system.
 */
import { dirname, isAbsolute, join, relative, sep } from 'node:path';

export interface UnitFacts {
  /** Without `.service`. */
  readonly name: string;
  /** The files of the start: absolute, links resolved. */
  readonly node: string;
  readonly main: string;
  readonly module: string | undefined;
  /** Where the bot is started, and what `.env` and relative paths count from. */
  readonly folder: string;
  /** What else the bot reads: the folder of its package, those of the packages it uses, the file of its token. */
  readonly reads: readonly string[];
  /** Where the settings beside the bot keep its state, if they say so. */
  readonly stateDir: string | undefined;
  /** Whom it runs as; undefined: a user of its own, made by systemd. */
  readonly user: string | undefined;
  /** `.env` or another setting says where the token is. */
  readonly bringsToken: boolean;
}

export interface FittedUnit {
  readonly text: string;
  /** Sentences: what was taken back of the hardening, and what may still go wrong. */
  readonly warnings: readonly string[];
}

/** What ProtectHome= and PrivateTmp= put something empty in place of. */
const homes = ['/home', '/root', '/run/user'];
const temporary = ['/tmp', '/var/tmp'];

/** @param template the text of the shipped lastcall.service */
export function fitUnit(template: string, facts: UnitFacts): FittedUnit {
  const { name, node, main, module, folder, user, stateDir } = facts;
  const warnings: string[] = [];

  // The folder of node's `bin`: next to it are the libraries that belong to it.
  const prefix = dirname(dirname(node));
  const readable = outermost([prefix, ...facts.reads, dirname(main)].filter(isHidden));
  const own = outermost([
    folder,
    ...(module === undefined ? [] : [dirname(module)]),
    ...(user === undefined || stateDir === undefined ? [] : [stateDir]),
  ]);
  const hiddenOwn = own.filter(isHidden);

  const binds: string[] = [];
  const readOnly = readable.filter((path) => !own.some((folder) => isInside(path, folder)));
  const hidden = [...readOnly, ...hiddenOwn];
  if (readOnly.length > 0) binds.push(`BindReadOnlyPaths=${readOnly.map(quotedPath).join(' ')}`);
  if (hiddenOwn.length > 0)
    binds.push(
      `${user === undefined ? 'BindReadOnlyPaths' : 'BindPaths'}=${hiddenOwn.map(quotedPath).join(' ')}`,
    );
  const openOwn = own.filter((path) => !isHidden(path));
  if (user !== undefined && openOwn.length > 0)
    binds.push(`ReadWritePaths=${openOwn.map(quotedPath).join(' ')}`);

  if (hidden.length > 0)
    warnings.push(
      `the unit hides home directories and /tmp from the bot; it now sees ${list(hidden)}, because ${isHidden(node) ? 'node' : 'the bot'} is there. A node from the system's packages and a bot under /srv would need no such opening`,
    );
  if (hidden.some((path) => homes.includes(dirname(path)) || path === '/root'))
    warnings.push(`that is a whole home directory: move the bot into a folder of its own`);
  warnings.push(
    user === undefined
      ? `the bot cannot write to ${list(own)}: what it keeps belongs in $STATE_DIRECTORY, /var/lib/${name}. If it writes beside itself, give the folder to a user of its own and say --user`
      : `the bot may write to ${list(own)}, its own code included, in case it writes beside itself; if it does not, remove BindPaths= or ReadWritePaths= (or make it BindReadOnlyPaths=)`,
  );

  if (user === undefined && stateDir !== undefined)
    warnings.push(
      `the bot cannot write to ${stateDir}, which STATE_DIR names, and would not start: take STATE_DIR out of the settings beside the bot, or give the folder to a user of its own and say --user`,
    );

  const run = [node, main, 'run', ...(module === undefined ? [] : [fromFolder(folder, module)])];
  const values: Record<string, readonly string[]> = {
    ...(name !== 'lastcall' && { Description: [`Description=Telegram bot ${name} (lastcall)`] }),
    WorkingDirectory: [`WorkingDirectory=${escapedSpecifiers(folder)}`],
    ExecStart: [`ExecStart=${run.map(quotedArgument).join(' ')}`],
    LoadCredential: facts.bringsToken
      ? [
          '# The settings beside the bot say where its token is.',
          '#LoadCredential=bot-token:/etc/lastcall/bot-token',
        ]
      : [`LoadCredential=bot-token:/etc/${name}/bot-token`],
    EnvironmentFile: [`EnvironmentFile=-/etc/${name}/${name}.env`],
    StateDirectory: [`StateDirectory=${name}`],
    ProtectHome: [`ProtectHome=${hidden.some(isInHome) ? 'tmpfs' : 'yes'}`, ...binds],
    ...(user !== undefined && {
      DynamicUser: [`User=${user}`],
      // This user may have other programs, whose shared memory is not this unit's to remove.
      RemoveIPC: ['RemoveIPC=no'],
    }),
  };
  const body = template.slice(template.indexOf('[Unit]'));
  const lines = body.split('\n').flatMap((line) => {
    const key = /^(\w+)=/.exec(line)?.[1];
    return (key && Object.hasOwn(values, key) && values[key]) || [line];
  });
  return { text: `${header(facts)}\n${lines.join('\n')}`, warnings };
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

export function isHidden(path: string): boolean {
  return isInHome(path) || temporary.some((place) => isInside(path, place));
}

const isInHome = (path: string): boolean => homes.some((place) => isInside(path, place));

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}

/** Without those that lie inside another of them. */
function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => other !== path && isInside(path, other)));
}

function fromFolder(folder: string, file: string): string {
  return isInside(file, folder) ? relative(folder, file) : file;
}

const escapedSpecifiers = (text: string): string => text.replaceAll('%', '%%');

/** As a word of ExecStart=, in which `$` is a variable, too. */
function quotedArgument(text: string): string {
  const escaped = escapedSpecifiers(text).replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** As one of a list of paths; a colon would end it. */
function quotedPath(path: string): string {
  const escaped = escapedSpecifiers(path).replaceAll(/[\\:]/g, '\\$&');
  return /^[\w@%+=,./-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll(/["\\]/g, '\\$&')}"`;
}

const list = (paths: readonly string[]): string => paths.map((path) => join(path)).join(' and ');
