/** Checks a unit: whether it gives a stop its time, starts the bot again when that helps, and only then. */
import { ExitCode } from '../../exit-code.js';
import { recommendedKillAfterMs } from '../../host/supervisor.js';
import { durationInWords } from '../../words.js';
import { type Finding, orWell, warning, wrong } from './finding.js';
import { isWrapped, parseTimeSpan, type Unit } from './systemd-facts.js';

/** How long lastcall needs at most to ask systemd for more time once a stop has begun. */
const ASKS_WITHIN_MS = 2_000;

export function checkUnit(unit: Unit, stopTimeoutMs: number): readonly Finding[] {
  const found = [
    ...checkState(unit),
    ...checkCommand(unit),
    ...checkStop(unit, stopTimeoutMs),
    ...checkRestart(unit),
    ...checkWatchdog(unit),
  ];
  const { TimeoutStopUSec = '', ActiveState = '', SubState = '' } = unit.properties;
  const extended =
    parseTimeSpan(TimeoutStopUSec) < stopTimeoutMs ? ', which lastcall extends as it needs' : '';
  return orWell(
    found,
    'unit',
    `${unit.name}: ${ActiveState} (${SubState}), TimeoutStopSec ${TimeoutStopUSec}${extended}`,
  );
}

/** Commands that put settings into a drop-in of their own, which leaves the unit itself as it is. */
function dropIn({ name }: Unit, ...lines: readonly string[]): readonly string[] {
  const [setting = ''] = (lines[0] ?? '').split('=');
  const section = setting.startsWith('StartLimit') ? 'Unit' : 'Service';
  // Of several drop-ins, the last by name counts.
  const file = `/etc/systemd/system/${name}.d/zz-${setting}.conf`;
  return [
    `printf '[${section}]\\n${lines.join('\\n')}\\n' | sudo install -Dm644 /dev/stdin ${file}`,
    `sudo systemctl daemon-reload && sudo systemctl restart ${name}`,
  ];
}

function checkState(unit: Unit): readonly Finding[] {
  const { name, properties } = unit;
  const { ActiveState, Result, ExecMainStatus, NeedDaemonReload, UnitFileState } = properties;
  const found: Finding[] = [];
  if (ActiveState === 'failed')
    found.push(
      wrong(
        'unit',
        `${name} has failed (${Result}, exit code ${ExecMainStatus})${ExecMainStatus === `${ExitCode.configuration}` ? ': a setting is wrong, so it is not started again' : ''}.`,
        {
          cure: 'see its last lines, mend what they name, and start it:',
          commands: [`journalctl -u ${name} -n 50 --no-pager -o cat`, `sudo systemctl start ${name}`],
        },
      ),
    );
  if (NeedDaemonReload === 'yes')
    found.push(
      warning('unit', `${name} has changed on disk, and systemd still has it as it was.`, {
        cure: 'have systemd read it again; the bot has to be restarted for most changes:',
        commands: [`sudo systemctl daemon-reload && sudo systemctl restart ${name}`],
      }),
    );
  if (UnitFileState === 'disabled')
    found.push(
      warning('unit', `${name} is not enabled: the next reboot does not start it.`, {
        cure: 'enable it:',
        commands: [`sudo systemctl enable ${name}`],
      }),
    );
  return found;
}

function checkCommand(unit: Unit): readonly Finding[] {
  const { name, argv, properties } = unit;
  const found: Finding[] = [];
  if (isWrapped(argv))
    found.push(
      wrong(
        'unit',
        `${name} starts lastcall by ${argv[0]}, which keeps the stop signal from the bot or leaves it orphaned.`,
        {
          cure: 'start node itself; this prints a unit that does:',
          commands: ['npx lastcall unit FILE'],
        },
      ),
    );
  if (properties['MemoryDenyWriteExecute'] === 'yes')
    found.push(
      wrong('unit', `${name} has MemoryDenyWriteExecute=yes, with which Node cannot compile.`, {
        cure: 'turn it off:',
        commands: dropIn(unit, 'MemoryDenyWriteExecute=no'),
      }),
    );
  return found;
}

/** Only a unit of Type=notify listens when lastcall asks for more time. */
const listens = ({ properties }: Unit): boolean =>
  /^notify/.test(properties['Type'] ?? '') &&
  ['main', 'exec', 'all'].includes(properties['NotifyAccess'] ?? '');

function checkStop(unit: Unit, stopTimeoutMs: number): readonly Finding[] {
  const { name, properties } = unit;
  const { Type, NotifyAccess, TimeoutStopUSec = '', KillMode } = properties;
  const limitMs = parseTimeSpan(TimeoutStopUSec);
  const needed = `TimeoutStopSec=${Math.ceil(recommendedKillAfterMs(stopTimeoutMs) / 1_000)}`;
  const found: Finding[] = [];
  if (listens(unit) && limitMs < Math.min(ASKS_WITHIN_MS, stopTimeoutMs))
    found.push(
      warning(
        'unit',
        `${name} has TimeoutStopSec=${TimeoutStopUSec}, in which a busy bot may not come to ask for more.`,
        {
          cure: 'give it a few seconds at least:',
          commands: dropIn(unit, needed),
        },
      ),
    );
  if (!listens(unit) && limitMs < recommendedKillAfterMs(stopTimeoutMs))
    found.push(
      wrong(
        'unit',
        `${name} kills the bot ${TimeoutStopUSec} after a stop begins (TimeoutStopSec), and STOP_TIMEOUT is ${durationInWords(stopTimeoutMs)}; with Type=${Type} and NotifyAccess=${NotifyAccess} the bot cannot ask for more.`,
        {
          cure: 'have it listen to the bot, and give it the time:',
          commands: dropIn(unit, 'Type=notify', 'NotifyAccess=main', needed),
        },
      ),
    );
  if (KillMode === 'control-group')
    found.push(
      warning(
        'unit',
        `${name} has KillMode=control-group: a stop signals the child processes of handlers as well, and cuts them.`,
        {
          cure: 'have only the bot signalled; what it leaves is killed after it:',
          commands: dropIn(unit, 'KillMode=mixed'),
        },
      ),
    );
  return found;
}

function checkRestart(unit: Unit): readonly Finding[] {
  const { name, properties } = unit;
  const { Restart, RestartPreventExitStatus = '', StartLimitIntervalUSec = '0' } = properties;
  const { StartLimitBurst, RestartUSec = '0' } = properties;
  // It takes so many starts within the interval, which RestartSec may rule out.
  const burstMs = Number(StartLimitBurst) * parseTimeSpan(RestartUSec);
  const found: Finding[] = [];
  if (Restart !== 'always')
    found.push(
      warning(
        'unit',
        `${name} has Restart=${Restart}: ${Restart === 'no' ? 'a fault' : 'a stray stop signal'} leaves the bot dead.`,
        {
          cure: 'have it restarted whatever ends it, but for a wrong setting:',
          commands: dropIn(
            unit,
            'Restart=always',
            'RestartSec=5',
            `RestartPreventExitStatus=${ExitCode.configuration}`,
          ),
        },
      ),
    );
  else if (!RestartPreventExitStatus.split(' ').includes(`${ExitCode.configuration}`))
    found.push(
      warning(
        'unit',
        `${name} starts the bot again and again where a setting is wrong (exit code ${ExitCode.configuration}), which no restart mends.`,
        {
          cure: 'leave those out:',
          commands: dropIn(unit, `RestartPreventExitStatus=${ExitCode.configuration}`),
        },
      ),
    );
  if (burstMs < parseTimeSpan(StartLimitIntervalUSec) && Restart === 'always')
    found.push(
      warning(
        'unit',
        `${name} gives up after a few quick restarts (StartLimitIntervalSec=${StartLimitIntervalUSec}), as while a database is away.`,
        {
          cure: 'take the limit away; RestartSec slows the restarts down:',
          commands: dropIn(unit, 'StartLimitIntervalSec=0'),
        },
      ),
    );
  return found;
}

function checkWatchdog(unit: Unit): readonly Finding[] {
  const { WatchdogUSec = '' } = unit.properties;
  const watchdogMs = parseTimeSpan(WatchdogUSec);
  if (!listens(unit) || (watchdogMs > 0 && Number.isFinite(watchdogMs))) return [];
  return [
    warning('unit', `${unit.name} has no watchdog: a bot whose event loop is blocked stays so.`, {
      cure: 'have it restarted:',
      commands: dropIn(unit, 'WatchdogSec=60'),
    }),
  ];
}
