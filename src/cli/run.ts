/** `lastcall run`: runs a bot as a daemon. */
import { composeApp } from '../app.js';
import { parseArguments } from '../config/arguments.js';
import { loadConfig, requireToken } from '../config/load.js';
import { programVariables } from '../config/program-variables.js';
import { faultInWords, listenForFaults } from '../host/faults.js';
import { listenOnIpc } from '../host/ipc.js';
import { detectSupervisor } from '../host/supervisor.js';
import { StopReason } from '../lifecycle/stop-reason.js';
import { logEvent } from '../logging/events.js';
import { createLogging } from '../logging/logger.js';
import { proxySecretsIn } from '../telegraf/proxy-secrets.js';
import type { ProcessContext } from './command.js';
import { exampleBotFile, exampleBotWarning, noBotNamed } from './example-bot.js';
import { splitAtDashes } from './split-arguments.js';

/** Resolves to the exit code once the run has ended and its log is written. */
export async function run({ args, env, cwd, signal, signals, process }: ProcessContext): Promise<number> {
  const { before, after: botArgs } = splitAtDashes(args);
  const { flags, files } = parseArguments(before, { files: 1 });
  const loaded = await loadConfig({ env, flags, cwd: cwd(), signal });
  const { config, secrets } = loaded;
  const named = files[0] ?? config.botModule;
  const file = named ?? exampleBotFile;
  // The example bot needs a token. A newcomer without a token gets a plain error before anything is logged.
  if (named === exampleBotFile) requireToken(config);
  const supervisor = await detectSupervisor(process);
  if (named === undefined) {
    if (supervisor.kind !== 'none') {
      supervisor.status('');
      throw noBotNamed();
    }
    requireToken(config);
  }

  Object.assign(env, programVariables(env, loaded));
  const logging = await createLogging({ config, secrets, process });
  for (const password of proxySecretsIn(env)) logging.addPassword(password);
  const warnings = [...loaded.warnings, ...(named === undefined ? [exampleBotWarning] : [])];
  for (const warning of warnings) logEvent(logging.log, { event: 'config.warning', warning });

  const { lifecycle, run, forced } = composeApp({
    config,
    logging,
    source: { file, args: botArgs, log: logging.log },
    supervisor,
  });

  signals.subscribe({
    stop: (signal) => void lifecycle.stop(StopReason.signal(signal)),
    hasten: () => lifecycle.hasten(),
    forced,
  });
  listenOnIpc(process, env['pm_id'] !== undefined, {
    shutdown: () => void lifecycle.stop(StopReason.message('shutdown')),
    supervisorGone: () => void lifecycle.stop(StopReason.supervisorGone()),
  });
  listenForFaults(process, (error, origin, ownedByProgram) => {
    logEvent(logging.log, { event: 'process.fault', origin, error });
    if (!ownedByProgram) void lifecycle.stop(StopReason.fault(error, faultInWords[origin]));
  });

  const { exitCode } = await run();
  return exitCode;
}
