/** `lastcall run`: runs a bot as a daemon. */
import { composeApp } from '../app.js';
import { backgroundClock } from '../clock.js';
import { parseArguments } from '../config/arguments.js';
import { configOf, readSettings, requireToken } from '../config/load.js';
import { programVariables } from '../config/program-variables.js';
import { fitToContainer } from '../container-fit.js';
import { LastcallError } from '../errors.js';
import { containerRuntime, heartbeatWarning } from '../host/container.js';
import { faultInWords, listenForFaults } from '../host/faults.js';
import { listenOnIpc } from '../host/ipc.js';
import { isAlive } from '../host/is-alive.js';
import { type PackageManager, packageManagerAbove } from '../host/package-manager.js';
import { isUnderShell, shellWarning } from '../host/shell.js';
import { detectSupervisor } from '../host/supervisor.js';
import { watchedState } from '../host/watcher.js';
import { StopReason } from '../lifecycle/stop-reason.js';
import { logEvent } from '../logging/events.js';
import { createLogging } from '../logging/logger.js';
import { proxySecretsIn } from '../telegraf/proxy-secrets.js';
import type { ProcessContext } from './command.js';
import { exampleBotFile, exampleBotWarning, noBotNamed } from './example-bot.js';
import { splitAtDashes } from './split-arguments.js';

const MANAGER_CHECK_MS = 500;

/** Resolves to the exit code once the run has ended and its log is written. */
export async function run(context: ProcessContext): Promise<number> {
  const { args, env, cwd, signal, signals, process } = context;
  const { before, after: botArgs } = splitAtDashes(args);
  const { flags, files } = parseArguments(before, { files: 1 });
  const reading = await readSettings({ env, flags, cwd: cwd(), signal });
  context.settingsRead(reading);
  const loaded = configOf(reading);
  const runtime = containerRuntime(env);
  const fit = fitToContainer(loaded.config, loaded.sources.inbox.kind !== 'default', runtime);
  const config = { ...loaded.config, ...fit.values };
  const { secrets } = loaded;
  // pm2 passes on what it gets itself.
  const isUnderPm2 = env['pm_id'] !== undefined;
  const manager = isUnderPm2 ? undefined : packageManagerAbove(env, process.ppid);
  // Somebody at a terminal of a container looks after it, as on any other machine.
  const isAlone = runtime !== undefined && process.stdin.isTTY !== true;
  if (manager && (manager.pid === 1 || isAlone)) throw managedInContainer(manager);
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
  for (const password of [...proxySecretsIn(env), env['PGPASSWORD'] ?? '']) logging.addPassword(password);
  const warnings = [
    ...loaded.warnings,
    ...fit.warnings,
    isAlone && !isUnderPm2 && isUnderShell(process.ppid) && shellWarning,
    config.graceMs !== undefined && supervisor.kind !== 'systemd' && heartbeatWarning(env),
    named === undefined && exampleBotWarning,
  ];
  for (const warning of warnings)
    if (warning) logEvent(logging.eventLog, { event: 'config.warning', warning });
  const { stateDir } = config;
  const watched =
    stateDir === undefined ? undefined : watchedState(stateDir, { env, ppid: process.ppid, cwd: cwd() });
  if (watched) logEvent(logging.eventLog, watched);

  const { lifecycle, run, forced } = composeApp({
    config,
    logging,
    source: { file, args: botArgs, log: logging.log, onEvent: logging.onEvent },
    supervisor,
  });

  signals.subscribe({
    stop: (signal) => void lifecycle.stop(StopReason.signal(signal)),
    hasten: () => lifecycle.hasten(),
    forced,
  });
  listenOnIpc(process, isUnderPm2, {
    shutdown: () => void lifecycle.stop(StopReason.message('shutdown')),
    supervisorGone: () => void lifecycle.stop(StopReason.supervisorGone()),
  });
  if (manager)
    whenGone(
      manager.pid,
      () => void lifecycle.stop(StopReason.supervisorGone(`${manager.name}, which started the bot,`)),
    );
  listenForFaults(process, (error, origin, ownedByProgram) => {
    logEvent(logging.eventLog, { event: 'process.fault', origin, error });
    if (!ownedByProgram) void lifecycle.stop(StopReason.fault(error, faultInWords[origin]));
  });

  const { exitCode } = await run();
  return exitCode;
}

/** npm and Yarn die of SIGTERM and leave what they have started running, which would poll on with nobody to stop it. */
function whenGone(pid: number, gone: () => void): void {
  backgroundClock.after(MANAGER_CHECK_MS, () => {
    if (isAlive(pid)) whenGone(pid, gone);
    else gone();
  });
}

function managedInContainer({ name }: PackageManager): LastcallError {
  return new LastcallError(
    'NPM_IN_CONTAINER',
    name,
    `${name} has started the bot, and would keep the stop signal of the container from it`,
  );
}
