/**
 * Finds the apps of pm2 that run lastcall: by the environment of their processes, else in the ecosystem file beside the bot. pm2
 * itself is not asked, since each of its commands starts a pm2 where none runs.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readText } from '../../host/read-text.js';
import { isObject, parseJson } from '../../json.js';
import { isPackageManager, type Pm2App } from './pm2.js';
import { commandOf, type FoundProcess, fileAfterRun, isLastcallRun } from './processes.js';
import { within } from './time-limit.js';

export async function findPm2Apps(
  processes: readonly FoundProcess[],
  cwd: string,
): Promise<readonly Pm2App[]> {
  const running = processes.filter(({ env }) => env['pm_id'] !== undefined).map((each) => appOf(each, cwd));
  return running.length > 0 ? running : appsInFile(cwd);
}

function appOf(found: FoundProcess, cwd: string): Pm2App {
  const { pid, env } = found;
  const name = ecosystemIn(found.cwd);
  return {
    name: env['name'] ?? '',
    from: `process ${pid}`,
    ecosystem: name === undefined || found.cwd === cwd ? name : join(found.cwd, name),
    script: env['pm_exec_path'] ?? '',
    file: fileAfterRun(commandOf(found)),
    killTimeout: env['kill_timeout'],
    stopExitCodes: env['stop_exit_codes'],
  };
}

const fileNames = ['js', 'cjs', 'mjs'].map((extension) => `ecosystem.config.${extension}`);

const ecosystemIn = (folder: string): string | undefined =>
  fileNames.find((each) => existsSync(join(folder, each)));

/** Has Node load the file, as pm2 does: it is code. */
const print =
  'const module = await import(process.argv[1]); console.log(JSON.stringify(module.apps ?? module.default?.apps ?? []))';

function appsInFile(cwd: string): Promise<readonly Pm2App[]> {
  const name = ecosystemIn(cwd);
  if (name === undefined) return Promise.resolve([]);
  const file = join(cwd, name);
  return within<readonly Pm2App[]>(
    (signal) =>
      new Promise((done) => {
        const args = ['--input-type=module', '--eval', print, pathToFileURL(file).href];
        execFile(process.execPath, args, { cwd, signal }, (_error, stdout) =>
          done(parseApps(stdout, name, cwd)),
        );
      }),
    [],
  );
}

/** The apps in the JSON of an ecosystem file in a folder that start lastcall, be it by a package manager. */
export function parseApps(text: string, from: string, folder: string): readonly Pm2App[] {
  const apps: unknown = parseJson(text.trim().split('\n').at(-1) ?? '');
  if (!Array.isArray(apps)) return [];
  return apps.filter(isObject).flatMap((app) => {
    const { name = '', script = '', args = '', cwd = '', kill_timeout, stop_exit_codes } = app;
    const words = [...wordsIn(script), ...wordsIn(args)];
    const command = isPackageManager(`${script}`) ? managedBy(words, resolve(folder, `${cwd}`)) : words;
    if (!isLastcallRun(command) && !namesLastcall(command)) return [];
    return {
      ...{ name: `${name}`, from, ecosystem: from, script: `${script}`, file: fileAfterRun(command) },
      killTimeout: kill_timeout === undefined ? undefined : `${kill_timeout}`,
      stopExitCodes: stop_exit_codes === undefined ? undefined : `${stop_exit_codes}`,
    };
  });
}

const namesLastcall = (words: readonly string[]): boolean =>
  words.some((word) => /(^|\/)(lastcall(@\S+)?|lastcall\/dist\/main\.js)$/.test(word));

/** What pm2 takes for words: a list, or a text with blanks between them. */
const wordsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(String) : `${value}`.split(/\s+/).filter((word) => word !== '');

/** The command that a package manager starts: one of the scripts in `package.json`, or what its arguments name. */
function managedBy(words: readonly string[], folder: string): readonly string[] {
  const [, first = '', second = ''] = words;
  const manifest = parseJson(readText(join(folder, 'package.json')) ?? '');
  const scripts = isObject(manifest) && isObject(manifest['scripts']) ? manifest['scripts'] : {};
  const script = scripts[/^run(-script)?$/.test(first) ? second : first];
  return typeof script === 'string' ? wordsIn(script) : words.slice(1);
}
