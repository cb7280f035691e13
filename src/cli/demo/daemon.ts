/** Runs the daemon as a child process, with the sandbox in place of Telegram. */
import { devNull } from 'node:os';
import type { Sandbox } from '../../sandbox/sandbox.js';

/** How to run the example bot with this build. */
export interface Program {
  readonly mainFile: string;
  readonly botFile: string;
  readonly process: NodeJS.Process;
}

/** Returns the environment of a daemon, without the token, the inbox and the `.env` of a real bot. */
export function daemonEnvironment(
  { token, apiRoot }: Pick<Sandbox, 'token' | 'apiRoot'>,
  stateDir: string,
  env: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  return {
    ...env,
    LASTCALL_ENV_FILE: devNull,
    LASTCALL_BOT_TOKEN: token,
    LASTCALL_BOT_TOKEN_FILE: '',
    LASTCALL_BOT_MODULE: '',
    LASTCALL_TELEGRAM_API_ROOT: apiRoot,
    LASTCALL_INBOX: '',
    LASTCALL_INBOX_FILE: '',
    LASTCALL_STATE_DIR: stateDir,
    CREDENTIALS_DIRECTORY: '',
  };
}
