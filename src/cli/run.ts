/** `lastcall run`: runs a bot as a daemon. */
import { composeApp } from '../app.js';
import { backgroundClock } from '../clock.js';
import { parseArguments } from '../config/arguments.js';
import { loadConfig, requireToken } from '../config/load.js';
import { programVariables } from '../config/program-variables.js';
import { LastcallError } from '../errors.js';
import { containerRuntime } from '../host/container.js';
import { faultInWords, listenForFaults } from '../host/faults.js';
import { listenOnIpc } from '../host/ipc.js';
import { isAlive } from '../host/is-alive.js';
import { npmAncestor } from '../host/npm-ancestor.js';
import { detectSupervisor } from '../host/supervisor.js';
import { StopReason } from '../lifecycle/stop-reason.js';
import { logEvent } from '../logging/events.js';
import { createLogging } from '../logging/logger.js';
import { proxySecretsIn } from '../telegraf/proxy-secrets.js';
import type { ProcessContext } from './command.js';
import { exampleBotFile, exampleBotWarning, noBotNamed } from './example-bot.js';
import { fitToContainer } from './fit-to-container.js';
import { splitAtDashes } from './split-arguments.js';

const NPM_CHECK_MS = 500;

/** Resolves to the exit code once the run has ended and its log is written. */
export async function run({ args, env, cwd, signal, signals, process }: ProcessContext): Promise<number> {
  const { before, after: botArgs } = splitAtDashes(args);
  const { flags, files } = parseArguments(before, { files: 1 });
  const loaded = await loadConfig({ env, flags, cwd: cwd(), signal });
  const runtime = containerRuntime(env);
  const { config, warning: containerWarning } = fitToContainer(loaded, runtime !== undefined);
  const { secrets } = loaded;
  // pm2 passes on what it gets itself.
  const npm = env['pm_id'] === undefined ? npmAncestor(env, process.ppid) : undefined;
  // Somebody at a terminal of a container looks after it, as on any other machine.
  const isAttended = process.stdin.isTTY === true;
  if (npm !== undefined && (npm === 1 || (runtime !== undefined && !isAttended))) throw npmInContainer();
  const named = files[0] ?? config.botModule;
  const file = named ?? exampleBotFile;
  // The example bot needs a token. A newcomer without a token gets a plain error before anything is logged.
  if (named === exampleBotFile) requireToken(config);
  const supervisor = await detectSupervisor(process, config.graceMs);
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
  const warnings = [
    ...loaded.warnings,
    ...(containerWarning === undefined ? [] : [containerWarning]),
    ...(named === undefined ? [exampleBotWarning] : []),
  ];
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
  if (npm !== undefined)
    whenGone(npm, () => void lifecycle.stop(StopReason.supervisorGone('npm, which started the bot,')));
  listenForFaults(process, (error, origin, ownedByProgram) => {
    logEvent(logging.log, { event: 'process.fault', origin, error });
    if (!ownedByProgram) void lifecycle.stop(StopReason.fault(error, faultInWords[origin]));
  });

  const { exitCode } = await run();
  return exitCode;
}

/** npm dies of SIGTERM and leaves what it has started running, which would poll on with nobody to stop it. */
function whenGone(pid: number, gone: () => void): void {
  backgroundClock.after(NPM_CHECK_MS, () => {
    if (isAlive(pid)) whenGone(pid, gone);
    else gone();
  });
}

function npmInContainer(): LastcallError {
  return new LastcallError(
    'NPM_IN_CONTAINER',
    'npm',
    'npm has started the bot, and would keep the stop signal of the container from it',
  );
}
