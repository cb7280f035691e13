/** Checks whatever runs the bot: units of systemd, apps of pm2, a container, a package manager in between. */
import { beforeKill } from '../../host/kill-margin.js';
import { recommendedKillAfterMs } from '../../host/supervisor.js';
import { durationInWords } from '../../words.js';
import type { Finding } from './finding.js';
import { orWell, skipped, warning, well } from './finding.js';
import { checkPm2, type Pm2App } from './pm2.js';
import { checkUnit } from './systemd.js';
import type { Unit } from './systemd-facts.js';

interface RunningProcess {
  readonly pid: number;
  /** What has started it and keeps stop signals from it: npm, Yarn 1, and in a container a shell. */
  readonly wrapper?: { readonly name: string; readonly pid: number } | undefined;
}

export interface SupervisorFacts {
  /** The units that run this bot; undefined if systemd has not answered. */
  readonly units: readonly Unit[] | undefined;
  /** How many units of lastcall there are beside those. */
  readonly otherUnits: number;
  readonly apps: readonly Pm2App[];
  /** The runtime of the container that this command is in, and how long that leaves a stop; undefined on a host. */
  readonly container: { readonly runtime: string; readonly graceMs: number } | undefined;
  /** The processes of lastcall that run this bot. */
  readonly processes: readonly RunningProcess[];
  readonly stopTimeoutMs: number;
}

export function checkSupervisor(facts: SupervisorFacts): readonly Finding[] {
  const { units, otherUnits, apps, container, processes, stopTimeoutMs } = facts;
  const found: readonly Finding[] = [
    ...(units ?? []).flatMap((unit) => checkUnit(unit, stopTimeoutMs)),
    ...apps.flatMap((app) => checkPm2(app, stopTimeoutMs)),
    ...(container ? checkContainer(container, stopTimeoutMs) : []),
    ...processes.flatMap(checkWrapper),
  ];
  if (units === undefined) return [...found, skipped('unit', 'systemctl has not answered in time')];
  if (otherUnits > 0 && units.length === 0)
    return [
      ...found,
      skipped(
        'unit',
        `${otherUnits} of this host ${otherUnits === 1 ? 'runs' : 'run'} lastcall, none with the bot of this folder.`,
        {
          cure: 'to have its unit checked, start this in the folder of the bot (WorkingDirectory=), or name its file',
        },
      ),
    ];
  return orWell(found, 'supervisor', 'none found: nothing restarts the bot after a fault or a reboot');
}

function checkContainer(
  { runtime, graceMs }: NonNullable<SupervisorFacts['container']>,
  stopTimeoutMs: number,
): readonly Finding[] {
  const budgetMs = beforeKill(graceMs);
  if (budgetMs >= stopTimeoutMs)
    return [well('container', `${runtime} leaves a stop ${durationInWords(graceMs)}`)];
  const seconds = Math.ceil(recommendedKillAfterMs(stopTimeoutMs) / 1_000);
  return [
    warning(
      'container',
      `${runtime} kills ${durationInWords(graceMs)} after a stop begins (GRACE), so a stop gets ${durationInWords(budgetMs)} and not the ${durationInWords(stopTimeoutMs)} of STOP_TIMEOUT: handlers are cut, and handled again.`,
      {
        cure: `give it more time and say so by GRACE=${seconds}s, or set a STOP_TIMEOUT that fits; Docker: stop_grace_period: ${seconds}s, Kubernetes: terminationGracePeriodSeconds: ${seconds}`,
      },
    ),
  ];
}

function checkWrapper({ pid, wrapper }: RunningProcess): readonly Finding[] {
  if (!wrapper) return [];
  return [
    warning(
      'wrapper',
      `${wrapper.name} (process ${wrapper.pid}) has started the bot (${pid}), and does not pass a stop signal on.`,
      {
        cure: 'start node itself, under a supervisor and in a container at any rate (there in the exec form, CMD ["node", …]):',
        commands: ['node node_modules/lastcall/dist/main.js run bot.js'],
      },
    ),
  ];
}
