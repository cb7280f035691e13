/** `lastcall unit`: prints a systemd unit for this host, ready to be installed. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, parse, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { readSettings } from '../config/load.js';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { fitUnit } from '../host/unit-file.js';
import type { ProcessContext } from './command.js';
import { exampleBotWarning } from './example-bot.js';
import { findUser, firstUnreadable, ownerOf } from './unix-user.js';

const templateFile = new URL('../../systemd/lastcall.service', import.meta.url);
const mainFile = fileURLToPath(new URL('../main.js', import.meta.url));

/** Prints the unit to stdout and warnings to stderr. Rejects with a LastcallError if no unit can be made. */
export async function unit({ args, cwd, process, stdout, stderr }: ProcessContext): Promise<number> {
  const given = parseArguments(args, { options: { name: 'value', user: 'value' }, files: 1 });
  refuseBadArguments(given);
  const name = given.options.get('name') ?? 'lastcall';
  if (!/^[\w-]+$/.test(name))
    throw invalidOption('--name', `--name may only have letters, digits, - and _, but is '${name}'`);
  const folder = realpathSync(cwd());
  // The service gets the settings in the bot's .env, but not the environment of this shell.
  const { values, sources } = await readSettings({ env: {}, cwd: folder });
  const file = given.files[0] ?? values.botModule;
  const module = file === undefined ? undefined : resolved(resolve(folder, file));

  const user = given.options.get('user') ?? ownerOf(module === undefined ? folder : dirname(module));
  const serviceUser = user === undefined ? undefined : findUser(user);
  if (user !== undefined && !serviceUser)
    throw invalidOption(
      '--user',
      `there is no user '${user}' on this host: create it with \`useradd --system ${user}\``,
    );

  const node = process.execPath;
  const main = realpathSync(mainFile);
  const modules = module === undefined ? [] : [module];
  const tokenFiles = existing(values.botTokenFile).map((path) => realpathSync(path));
  const stateDir = sources.stateDir?.kind === 'env-file' ? values.stateDir : undefined;
  const fitted = fitUnit(readFileSync(templateFile, 'utf8'), {
    name,
    node,
    main,
    module,
    folder,
    reads: [packagesAround(main), ...modules.map(projectOf), ...tokenFiles],
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
  const secrets = [...existing(join(folder, '.env')), ...tokenFiles];
  const needed = [node, main, ...modules, ...secrets];
  for (const path of new Set(needed.flatMap((path) => firstUnreadable(serviceUser, path) ?? []))) {
    const fix = secrets.includes(path)
      ? `move the token to /etc/${name}/bot-token and run this command again`
      : `\`chmod o+rX ${path}\``;
    warnings.push(`${user ?? "the service's user"} may not read ${path}: ${fix}, or choose another --user`);
  }
  stdout.write(fitted.text);
  for (const warning of warnings) stderr.write(`warning: ${warning}\n`);
  return ExitCode.clean;
}

const existing = (path: string | undefined): string[] => (path && existsSync(path) ? [path] : []);

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

/** Returns the folder of all packages that lastcall may import: the outermost node_modules, else lastcall's own folder. */
function packagesAround(main: string): string {
  const parts = main.split(sep);
  const index = parts.indexOf('node_modules');
  return index < 0 ? dirname(dirname(main)) : parts.slice(0, index + 1).join(sep);
}

/** Returns the nearest folder around the module with a package.json, else the module's own folder. */
function projectOf(module: string): string {
  for (let folder = dirname(module); folder !== parse(folder).root; folder = dirname(folder))
    if (existsSync(join(folder, 'package.json'))) return folder;
  return dirname(module);
}
