/** `lastcall unit`: prints a systemd unit for this host, ready to be installed. */
import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, parse, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { readSettings } from '../config/load.js';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { foldersAround, linksOutOf, loadedFolders } from '../host/bot-project.js';
import {
  type HiddenPlaces,
  hiddenPlaces,
  isHiddenPlace,
  isInside,
  isWholeHome,
} from '../host/hidden-places.js';
import { type FittedUnit, fitUnit } from '../host/unit-file.js';
import type { ProcessContext } from './command.js';
import { exampleBotWarning } from './example-bot.js';
import { findUser, ownerOf, unreadableOn } from './unix-user.js';

const templateFile = new URL('../../systemd/lastcall.service', import.meta.url);
const mainFile = fileURLToPath(new URL('../main.js', import.meta.url));

/** Prints the unit to stdout and warnings to stderr. Rejects with a LastcallError if no unit can be made. */
export async function unit({ args, cwd, env, process, stdout, stderr }: ProcessContext): Promise<number> {
  const given = parseArguments(args, { options: { name: 'value', user: 'value' }, files: 1 });
  refuseBadArguments(given);
  const name = given.options.get('name') ?? 'lastcall';
  if (!/^[\w-]+$/.test(name))
    throw invalidOption('--name', `--name may only have letters, digits, - and _, but is '${name}'`);
  const folder = realpathSync(cwd());
  // The service gets the settings in the bot's .env, but not the environment of this shell.
  const { values, sources } = await readSettings({ env: {}, cwd: folder });
  const named = given.files[0] ?? values.botModule;
  const file = named === undefined ? undefined : resolve(folder, named);
  const module = file === undefined ? undefined : resolved(file);

  const user = given.options.get('user') ?? ownerOf(module === undefined ? folder : dirname(module));
  if (user !== undefined && !findUser(user))
    throw invalidOption(
      '--user',
      `there is no user '${user}' on this host: create it with \`useradd --system ${user}\``,
    );

  const node = process.execPath;
  const main = realpathSync(mainFile);
  const modules = module === undefined ? [] : [module];
  const ownFolders = [...new Set([folder, ...modules.map((path) => dirname(path))])];
  const hidden = hiddenPlaces();
  for (const path of ownFolders) if (isHiddenPlace(path, hidden)) throw botInHiddenPlace(path);
  const [inboxFile] = existing(values.inboxFile).map((path) => realpathSync(path));
  const secrets = existing(join(folder, '.env'), values.botTokenFile, inboxFile).map((path) =>
    realpathSync(path),
  );
  const stateDir =
    sources.stateDir?.kind === 'env-file' && values.stateDir ? realPlace(values.stateDir) : undefined;
  const fitted = fitUnit(readFileSync(templateFile, 'utf8'), {
    name,
    node,
    main,
    module,
    folder,
    reads: [
      packagesAround(main),
      ...ownFolders.flatMap(loadedFolders).flatMap((path) => readsOf(path, hidden)),
      ...secrets,
    ],
    links: ownFolders.flatMap(linksOutOf),
    settingsAround: ownFolders.flatMap((path) => existing(...foldersAround(path).map(settingsIn))),
    hidden,
    stateDir,
    user,
    bringsToken: values.botToken !== undefined || values.botTokenFile !== undefined,
  });

  const warnings = [...(module === undefined ? [exampleBotWarning] : []), ...fitted.warnings];
  if (main.includes(`${sep}_npx${sep}`))
    warnings.push(
      `lastcall is in npx's cache, ${main}, and may be removed: run \`npm install lastcall\` in the bot's folder first`,
    );
  if (user !== undefined && stateDir !== undefined && !existsSync(stateDir))
    warnings.push(
      `there is no folder ${stateDir}, which STATE_DIR names: create it as ${user}, because the unit does not start without it`,
    );
  warnings.push(...linkWarnings(folder, [env['PWD'], file]));
  for (const path of unreadable([node, main, ...modules, ...secrets], user, fitted)) {
    const fix =
      path === inboxFile
        ? `add LoadCredential=inbox:${path} to the unit and leave out INBOX_FILE`
        : secrets.includes(path)
          ? `move the token to /etc/${name}/bot-token and run this command again`
          : `\`chmod o+rX ${path}\``;
    warnings.push(`${user ?? "the service's user"} may not read ${path}: ${fix}, or choose another --user`);
  }
  stdout.write(fitted.text);
  for (const warning of warnings) stderr.write(`warning: ${warning}\n`);
  return ExitCode.clean;
}

const settingsIn = (folder: string): string => join(folder, '.env');

const existing = (...paths: readonly (string | undefined)[]): string[] =>
  paths.flatMap((path) => (path && existsSync(path) ? [path] : []));

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    throw new LastcallError('BOT_MODULE_NOT_FOUND', path, `there is no file ${path}`);
  }
}

function invalidOption(culprit: string, message: string): LastcallError {
  return new LastcallError('CONFIG_INVALID', culprit, message);
}

function botInHiddenPlace(folder: string): LastcallError {
  return new LastcallError(
    'CONFIG_INVALID',
    folder,
    `the bot is directly in ${folder}, which the unit hides: move the bot into a folder of its own, such as /srv/bot or ${join(folder, 'bot')}`,
  );
}

/** Returns what to open of a folder that modules are loaded from: of a home directory, by accident a package, just that. */
const readsOf = (folder: string, hidden: HiddenPlaces): string[] =>
  isWholeHome(folder, hidden) ? existing(join(folder, 'package.json')) : [folder];

/** Returns the folder of all packages that lastcall may import: the outermost node_modules, else lastcall's own folder. */
function packagesAround(main: string): string {
  const parts = main.split(sep);
  const index = parts.indexOf('node_modules');
  return index < 0 ? dirname(dirname(main)) : parts.slice(0, index + 1).join(sep);
}

/** Returns the path with its links resolved, as far as it exists. */
function realPlace(path: string): string {
  const existingPart = foldersAround(path).find((each) => existsSync(each)) ?? parse(path).root;
  return join(realpathSync(existingPart), relative(existingPart, path));
}

/** Says that the unit does not follow a link by which the bot is named here: that of the shell's folder, or that of the file. */
function linkWarnings(folder: string, paths: readonly (string | undefined)[]): string[] {
  const named = existing(...paths).filter((path) => isInside(realpathSync(path), folder));
  const links = new Set(named.flatMap((path) => firstLink(path) ?? []));
  return [...links].map(
    (link) =>
      `${link} is a link, and the unit runs what it leads to now, ${realpathSync(link)}: print the unit again when a deploy has moved the link`,
  );
}

/** Returns the first link on the path, or undefined. One in the root is the host's own, as `/home` may be. */
function firstLink(path: string): string | undefined {
  const fromOutside = foldersAround(path).reverse().slice(1);
  return fromOutside.find((each) => lstatSync(each).isSymbolicLink());
}

/** Returns the files and folders on the paths that keep the service's user from reading them. */
function unreadable(
  paths: readonly string[],
  user: string | undefined,
  { opened }: FittedUnit,
): ReadonlySet<string> {
  const serviceUser = user === undefined ? undefined : findUser(user);
  return new Set(
    paths.flatMap((path) => {
      // What is around an opened path does not count.
      const from = opened.find((folder) => isInside(path, folder));
      return unreadableOn(path, serviceUser, from);
    }),
  );
}
