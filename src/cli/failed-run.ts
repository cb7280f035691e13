/** Notes a run that ended before it was composed, such as for wrong settings. Loaded only then. */
import { parseArguments } from '../config/arguments.js';
import { passwordsIn } from '../config/inbox-setting.js';
import type { Reading } from '../config/load.js';
import { settings } from '../config/schema.js';
import { ExitCode } from '../exit-code.js';
import { supervisorOf } from '../host/supervisor.js';
import { createRedactor } from '../logging/redact.js';
import { noteFailedStart } from '../observe/history/failed-starts.js';
import { proxySecretsIn } from '../telegraf/proxy-secrets.js';
import { describeThrown, isLastcallError } from '../thrown.js';
import type { ProcessContext } from './command.js';
import { splitAtDashes } from './split-arguments.js';

/**
 * @param reading what the run has read of the settings. Nothing is read twice: `.env` and the files of secrets may be pipes,
 * which have been emptied, and the exit would wait for somebody to write into them again.
 */
export function noteFailedRun(
  { args, env, cwd, process }: Pick<ProcessContext, 'args' | 'env' | 'cwd' | 'process'>,
  { values }: Pick<Reading, 'values'>,
  error: unknown,
): void {
  const { files } = parseArguments(splitAtDashes(args).before, { files: 1 });
  const stateDir = values.stateDir ?? defaultStateDir(env, cwd());
  if (stateDir === undefined) return;
  const redactor = createRedactor(values.botToken === undefined ? [] : [values.botToken]);
  const inbox = values.inbox === undefined ? [] : passwordsIn(values.inbox);
  for (const password of [...inbox, ...proxySecretsIn(env), env['PGPASSWORD'] ?? ''])
    redactor.addPassword(password);
  const failure = {
    ...{ error, message: describeThrown(error), supervisor: supervisorOf(process).kind },
    exitCode: isLastcallError(error) ? error.exitCode : ExitCode.fault,
    file: files[0] ?? values.botModule,
  };
  noteFailedStart(stateDir, failure, { redact: redactor.redact, pid: process.pid, now: Date.now });
}

/** Where a start looks that is given no STATE_DIR, for one whose STATE_DIR cannot be used. */
function defaultStateDir(env: NodeJS.ProcessEnv, cwd: string): string | undefined {
  const { parsed } = settings.stateDir.readDefault(env, cwd);
  return 'value' in parsed ? parsed.value : undefined;
}
