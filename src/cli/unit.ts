/** `lastcall unit`: prints a systemd unit fitted to this host, ready to be installed. */
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

/** Resolves with 0; rejects with a LastcallError where there is nothing to print a unit for. */
export async function unit({ args, process }: CommandContext): Promise<number> {
  const given = parseArguments(args, { options: { name: 'value', user: 'value' }, files: 1 });
  refuseBadArguments(given);
  const name = given.options.get('name') ?? 'lastcall';
  if (!/^[\w-]+$/.test(name))
    throw unfit('--name', `--name must be of letters, digits, - and _, not '${name}'`);
  const folder = realpathSync(process.cwd());
  // Only what the service will find: of the settings those beside the bot, not those of this shell.
  const { values, sources } = await readSettings({ env: {}, cwd: folder });
  const file = given.files[0] ?? values.botModule;
  const module = file === undefined ? undefined : found(resolve(folder, file));

  const user = given.options.get('user') ?? ownerOf(module === undefined ? folder : dirname(module));
  const account = user === undefined ? undefined : accountOf(user);
  if (user !== undefined && !account)
    throw unfit(
      '--user',
      `there is no user '${user}' on this host: make one with \`useradd --system ${user}\``,
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
  const closed = new Set(needed.flatMap((path) => closedTo(account, path) ?? []));
  const warnings = [...fitted.warnings];
  if (main.includes(`${sep}_npx${sep}`))
    warnings.push(
      `lastcall is in npx's cache, ${main}, and may vanish: say \`npm install lastcall\` beside the bot first`,
    );
  if (user !== undefined && stateDir !== undefined && !existsSync(stateDir))
    warnings.push(
      `there is no folder ${stateDir}, which STATE_DIR names: make it as ${user}, or the unit does not start`,
    );
  for (const path of closed) {
    const cure = secrets.includes(path)
      ? `move the token to /etc/${name}/bot-token, and say this again`
      : `\`chmod o+rX ${path}\``;
    warnings.push(`${path} may not be read by ${user ?? "the service's user"}: ${cure}, or say --user`);
  }
  process.stdout.write(fitted.text);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  return ExitCode.clean;
}

function found(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    throw new LastcallError('BOT_MODULE_NOT_FOUND', path, `there is no file ${path}`);
  }
}

function unfit(culprit: string, message: string): LastcallError {
  return new LastcallError('CONFIG_INVALID', culprit, message);
}

interface Account {
  readonly uid: number;
  readonly gids: readonly number[];
}

/** The name of the folder's owner, as whom the bot then runs; undefined where that is root. */
function ownerOf(folder: string): string | undefined {
  const { uid } = statSync(folder);
  if (uid === 0) return undefined;
  return users().find((user) => user.uid === uid)?.name ?? `${uid}`;
}

function accountOf(user: string): Account | undefined {
  const known = users().find(({ name, uid }) => name === user || `${uid}` === user);
  if (!known) return /^\d+$/.test(user) ? { uid: Number(user), gids: [] } : undefined;
  const groups = table('/etc/group').filter(([, , , members = '']) =>
    members.split(',').includes(known.name),
  );
  return { uid: known.uid, gids: [known.gid, ...groups.map(([, , gid]) => Number(gid))] };
}

function users(): { readonly name: string; readonly uid: number; readonly gid: number }[] {
  return table('/etc/passwd').map(([name = '', , uid, gid]) => ({
    name,
    uid: Number(uid),
    gid: Number(gid),
  }));
}

function table(file: string): string[][] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => line.split(':'));
}

/** The folder that holds all packages lastcall may use: the outermost node_modules it is in, else its own folder. */
function packagesAround(main: string): string {
  const parts = main.split(sep);
  const index = parts.indexOf('node_modules');
  return index < 0 ? dirname(dirname(main)) : parts.slice(0, index + 1).join(sep);
}

/** The folder of the package that the module belongs to: the nearest with a package.json, else its own. */
function projectOf(module: string): string {
  for (let folder = dirname(module); folder !== parse(folder).root; folder = dirname(folder))
    if (existsSync(join(folder, 'package.json'))) return folder;
  return dirname(module);
}

/**
 * The first on the way to the file that keeps the user out; undefined where none does. Of a path that is brought in
 * from where it is hidden, what lies above counts no more: the unit makes those folders anew.
 */
function closedTo(account: Account | undefined, path: string): string | undefined {
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
