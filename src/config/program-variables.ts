/** The variables that a bot program finds in its environment, beside those that the process was started with. */
import type { LoadedConfig } from './load.js';
import type { Environment } from './schema.js';

/**
 * Returns the variables to add: what `.env` has and the environment has not, as by dotenv; values without what was tidied
 * away; and the token as `BOT_TOKEN`, where the program would find none there, because it comes from a file, from
 * systemd's credentials or from `LASTCALL_BOT_TOKEN`.
 */
export function programVariables(
  env: Environment,
  { config, envFile, tidiedVariables }: Pick<LoadedConfig, 'config' | 'envFile' | 'tidiedVariables'>,
): Readonly<Record<string, string>> {
  const fromFile = Object.entries(envFile?.variables ?? {}).filter(([name]) => env[name] === undefined);
  const variables = { ...Object.fromEntries(fromFile), ...tidiedVariables };
  const { BOT_TOKEN: token = '' } = { ...env, ...variables };
  if (token.trim() !== '' || config.botToken === undefined) return variables;
  return { ...variables, BOT_TOKEN: config.botToken };
}
