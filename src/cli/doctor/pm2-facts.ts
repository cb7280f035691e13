/**
 * Finds the apps of pm2 that run lastcall: by the environment of their processes, else in the ecosystem file beside the bot. pm2
 * itself is not asked, since each of its commands starts a pm2 where none runs.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isObject, parseJson } from '../../json.js';
import type { Pm2App } from './pm2.js';
import { type FoundProcess, fileAfterRun } from './processes.js';
import { within } from './time-limit.js';

export async function findPm2Apps(
  processes: readonly FoundProcess[],
  cwd: string,
): Promise<readonly Pm2App[]> {
  const running = processes.filter(({ env }) => env['pm_id'] !== undefined).map(appOf);
  return running.length > 0 ? running : appsInFile(cwd);
}

const appOf = ({ pid, env, argv }: FoundProcess): Pm2App => ({
  name: env['name'] ?? '',
  from: `process ${pid}`,
  script: env['pm_exec_path'] ?? '',
  file: fileAfterRun(argv),
  killTimeout: env['kill_timeout'],
  stopExitCodes: env['stop_exit_codes'],
});

const fileNames = ['js', 'cjs', 'mjs'].map((extension) => `ecosystem.config.${extension}`);

/** Has Node load the file, as pm2 does: it is code. */
const print =
  'const module = await import(process.argv[1]); console.log(JSON.stringify(module.apps ?? module.default?.apps ?? []))';

function appsInFile(cwd: string): Promise<readonly Pm2App[]> {
  const name = fileNames.find((each) => existsSync(join(cwd, each)));
  if (name === undefined) return Promise.resolve([]);
  const file = join(cwd, name);
  return within<readonly Pm2App[]>(
    (signal) =>
      new Promise((resolve) => {
        const args = ['--input-type=module', '--eval', print, pathToFileURL(file).href];
        execFile(process.execPath, args, { cwd, signal }, (_error, stdout) =>
          resolve(parseApps(stdout, name)),
        );
      }),
    [],
  );
}

/** The apps in the JSON of an ecosystem file that start lastcall, by whatever means. */
export function parseApps(text: string, from: string): readonly Pm2App[] {
  const apps: unknown = parseJson(text.trim().split('\n').at(-1) ?? '');
  if (!Array.isArray(apps)) return [];
  return apps.filter(isObject).flatMap((app) => {
    const { name = '', script = '', args = '', kill_timeout, stop_exit_codes } = app;
    const command = `${script} ${args}`;
    if (!/lastcall|dist\/main\.js/.test(command) && !/(^|\/)(npm|npx|yarn)$/.test(`${script}`)) return [];
    return {
      name: `${name}`,
      from,
      script: `${script}`,
      file: fileAfterRun(Array.isArray(args) ? args.map(String) : `${args}`.split(' ')),
      killTimeout: kill_timeout === undefined ? undefined : `${kill_timeout}`,
      stopExitCodes: stop_exit_codes === undefined ? undefined : `${stop_exit_codes}`,
    };
  });
}
