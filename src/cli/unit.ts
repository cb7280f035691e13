/** `lastcall unit`: prints a systemd unit for this host, ready to be installed. */
import { existsSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join, parse, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { readSettings } from '../config/load.js';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { fitUnit, isHidden } from '../host/unit-file.js';
import type { CommandContext } from './command.js';

const templateFile = new URL('../../systemd/lastcall.service', import.meta.url);
const mainFile = fileURLToPath(new URL('../main.js', import.meta.url));

/** Prints the unit to stdout and warnings to stderr. Rejects with a LastcallError if no unit can be made. */
export async function unit({ args, process }: CommandContext): Promise<number> {
  const given = parseArguments(args, { options: { name: 'value', user: 'value' }, files: 1 });
  refuseBadArguments(given);
  const name = given.options.get('name') ?? 'lastcall';
  if (!/^[\w-]+$/.test(name))
    throw invalidOption('--name', `--name may only have letters, digits, - and _, but is '${name}'`);
  const folder = realpathSync(process.cwd());
  // The service sees the settings in the bot's .env, but not the environment of this shell.
  const { values, sources } = await readSettings({ env: {}, cwd: folder });
  const file = given.files[0] ?? values.botModule;
  const module = file === undefined ? undefined : resolved(resolve(folder, file));

  const user = given.options.get('user') ?? ownerOf(module === undefined ? folder : dirname(module));
  const account = user === undefined ? undefined : accountOf(user);
  if (user !== undefined && !account)
    throw invalidOption(
      '--user',
      `there is no user '${user}' on this host: create it with \`useradd --system ${user}\``,
    );

  const node = process.execPath;
  const main = realpathSync(mainFile);
  const tokenFile = [values.botTokenFile].flatMap((path) =>
    path && existsSync(path) ? realpathSync(path) : [],
  );
  const stateDir = sources.stateDir?.kind === 'env-file' ? values.stateDir : undefined;
  const fitted = fitUnit(readFileSync(templateFile, 'utf8'), {
    name,
    node,
    main,
    module,
    folder,
    reads: [packagesAround(main), ...(module === undefined ? [] : [projectOf(module)]), ...tokenFile],
    stateDir,
    user,
    bringsToken: values.botToken !== undefined || values.botTokenFile !== undefined,
  });
  const envFile = join(folder, '.env');
  const secrets = [...(existsSync(envFile) ? [envFile] : []), ...tokenFile];
  const needed = [node, main, ...(module === undefined ? [] : [module]), ...secrets];
  const unreadable = new Set(needed.flatMap((path) => firstUnreadable(account, path) ?? []));
  const warnings = [...fitted.warnings];
  if (main.includes(`${sep}_npx${sep}`))
    warnings.push(
      `lastcall is in npx's cache, ${main}, and may be removed: run \`npm install lastcall\` in the bot's folder first`,
    );
  if (user !== undefined && stateDir !== undefined && !existsSync(stateDir))
    warnings.push(
      `there is no folder ${stateDir}, which STATE_DIR names: create it as ${user}, or the unit does not start`,
    );
  for (const path of unreadable) {
    const fix = secrets.includes(path)
      ? `move the token to /etc/${name}/bot-token and run this command again`
      : `\`chmod o+rX ${path}\``;
    warnings.push(`${user ?? "the service's user"} may not read ${path}: ${fix}, or choose another --user`);
  }
  process.stdout.write(fitted.text);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  return ExitCode.clean;
}

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

interface Account {
  readonly uid: number;
  readonly gids: readonly number[];
}

/** The user that owns the folder, and that the service will run as; undefined if that is root. */
function ownerOf(folder: string): string | undefined {
  const { uid } = statSync(folder);
  if (uid === 0) return undefined;
  return users().find((user) => user.uid === uid)?.name ?? `${uid}`;
}

function accountOf(user: string): Account | undefined {
  const known = users().find(({ name, uid }) => name === user || `${uid}` === user);
  if (!known) return /^\d+$/.test(user) ? { uid: Number(user), gids: [] } : undefined;
  const groups = accountTable('/etc/group').filter(([, , , members = '']) =>
    members.split(',').includes(known.name),
  );
  return { uid: known.uid, gids: [known.gid, ...groups.map(([, , gid]) => Number(gid))] };
}

function users(): { readonly name: string; readonly uid: number; readonly gid: number }[] {
  return accountTable('/etc/passwd').map(([name = '', , uid, gid]) => ({
    name,
    uid: Number(uid),
    gid: Number(gid),
  }));
}

/** The fields of each line of /etc/passwd or /etc/group. */
function accountTable(file: string): string[][] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => line.split(':'));
}

/** The folder with all packages that lastcall may import: the outermost node_modules around it, else its own folder. */
function packagesAround(main: string): string {
  const parts = main.split(sep);
  const index = parts.indexOf('node_modules');
  return index < 0 ? dirname(dirname(main)) : parts.slice(0, index + 1).join(sep);
}

/** The nearest folder around the module that has a package.json, else the module's own folder. */
function projectOf(module: string): string {
  for (let folder = dirname(module); folder !== parse(folder).root; folder = dirname(folder))
    if (existsSync(join(folder, 'package.json'))) return folder;
  return dirname(module);
}

/**
 * The first folder or file on the path that the account may not read, or undefined if it may read all. The unit mounts a
 * path that is hidden from the service into new folders, so only the file itself counts there.
 */
function firstUnreadable(account: Account | undefined, path: string): string | undefined {
  const { root } = parse(path);
  const steps = relative(root, path).split(sep);
  const all = steps.map((_, index) => join(root, ...steps.slice(0, index + 1)));
  const considered = isHidden(path) ? all.slice(-1) : all;
  return considered.find((step) => {
    const stats = statSync(step);
    const wanted = stats.isDirectory() ? 0o1 : 0o4;
    return (permissionsOf(account, stats) & wanted) === 0;
  });
}

function permissionsOf(account: Account | undefined, { mode, uid, gid }: Stats): number {
  if (account?.uid === uid) return mode >> 6;
  if (account?.gids.includes(gid)) return mode >> 3;
  return mode;
}
