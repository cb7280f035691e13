/**
 * The package manager that has started this process: npm, npx and Yarn 1 do not pass SIGTERM on to what they run. pnpm and
 * newer versions of Yarn do, and wait for it to end.
 */
import { lineOf, type ProcessTable, systemTable } from './process-table.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface PackageManager {
  readonly name: 'npm' | 'yarn';
  readonly pid: number;
}

/** Commands are run in a shell, which may or may not stay between the two. */
const GENERATIONS = 2;
const commands: Readonly<Record<PackageManager['name'], RegExp>> = {
  npm: /^(?:\S*\/)?(?:npm|npx)\b|\/np[mx]-cli\.js\b/,
  yarn: /^(?:\S*\/)?yarn\b|\/yarn(?:\.js)?\b/,
};

/** Returns the package manager that runs this process and keeps signals from it, or undefined if there is none. */
export function packageManagerAbove(
  env: Environment,
  parent: number,
  processes: ProcessTable = systemTable,
): PackageManager | undefined {
  const name = nameOf(env);
  if (name === undefined) return undefined;
  const pid = lineOf(parent, GENERATIONS, processes).find((each) =>
    commands[name].test(processes.commandOf(each) ?? ''),
  );
  return pid === undefined ? undefined : { name, pid };
}

function nameOf(env: Environment): PackageManager['name'] | undefined {
  if (env['npm_config_user_agent']?.startsWith('yarn/1.')) return 'yarn';
  return env['npm_execpath'] === undefined && env['npm_command'] === undefined ? undefined : 'npm';
}
