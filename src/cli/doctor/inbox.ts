/** Checks the inbox: whether it can be read, whether somebody handles what waits in it, and what was given up. */
import { ExitCode } from '../../exit-code.js';
import type { SupervisorKind } from '../../host/run-record.js';
import { count, durationInWords, sizeInWords } from '../../words.js';
import type { SeenBot } from '../status/look.js';
import { type Finding, orWell, shellWord, skipped, warning, well, wrong } from './finding.js';

/** An inbox that is not used, and what it holds. */
export interface UnusedInbox {
  readonly path: string;
  readonly updates: number;
  readonly dead: number;
  /** Left by a former version, which kept one for each spelling of the server; else another kind of inbox is in use. */
  readonly isFormer: boolean;
}

export interface InboxFacts {
  /** Undefined where the bot has no folder yet. */
  readonly seen: SeenBot | undefined;
  readonly unused: readonly UnusedInbox[];
  readonly kind: 'journal' | 'memory' | 'postgres';
  /** The unit of the bot, if it has one. */
  readonly unit?: string | undefined;
  /** The name of pm2's app, if the bot has one. */
  readonly app?: string | undefined;
}

type Names = Pick<InboxFacts, 'unit' | 'app'>;

/** From this age on people have noticed that nobody answers. */
const OLD_MS = 10 * 60_000;

export function checkInbox(facts: InboxFacts): readonly Finding[] {
  return [...checkProcess(facts), ...checkContents(facts), ...facts.unused.map(unusedFinding)];
}

function checkProcess({ seen, ...names }: InboxFacts): readonly Finding[] {
  if (!seen) return [];
  if (seen.source === 'forbidden')
    return [
      skipped(
        'process',
        `${seen.folder} belongs to ${seen.owner ?? 'another user'}, and may not be looked at.`,
        {
          cure: 'ask as root, or as that user:',
          commands: ['sudo lastcall doctor'],
        },
      ),
    ];
  if (seen.source === 'disk' && seen.isSilent)
    return [
      wrong(
        'process',
        `The process that runs the bot (${seen.onDisk.lastRun?.pid ?? 'pid unknown'}) does not answer on its status socket within 2 s.`,
        {
          cure: 'its event loop is blocked, or it is halted: see what it does; the watchdog of a unit restarts it after WatchdogSec:',
          commands: [`ps -o pid,stat,pcpu,etime,wchan,args -p ${seen.onDisk.lastRun?.pid ?? 'PID'}`],
        },
      ),
    ];
  if (seen.source === 'process') {
    const [report] = seen.reports;
    if (report?.polling.isLate)
      return [
        wrong('process', `Process ${report.pid} has had no answer to a poll for too long.`, {
          cure: 'see the findings on Telegram; if there are none, restart the bot, and report what it has logged',
        }),
      ];
    return report
      ? [well('process', `${report.pid}, ${report.phase} for ${durationInWords(report.upMs)}`)]
      : [];
  }
  return lastRunFinding(seen.onDisk, names);
}

function lastRunFinding(
  { lastRun, isRunning }: Extract<SeenBot, { source: 'disk' }>['onDisk'],
  names: Names,
): readonly Finding[] {
  if (isRunning || !lastRun) return [];
  const { phase, pid, exitCode, supervisor } = lastRun;
  if (phase !== 'stopped')
    return [
      warning('process', `Nobody runs the bot. The last run (${pid}) was killed while it was ${phase}.`, {
        cure: 'see whether the kernel (out of memory) or the supervisor has killed it, and start the bot:',
        commands: ['sudo dmesg | grep -i -E "killed process|out of memory"'],
      }),
    ];
  if (exitCode === ExitCode.clean || exitCode === undefined)
    return [well('process', `none runs; the last ended with exit code ${exitCode ?? 'unknown'}`)];
  const under = supervisor === 'none' ? '' : `, under ${supervisor},`;
  const commands = logCommands(supervisor, names);
  return [
    warning('process', `Nobody runs the bot. The last run${under} ended with exit code ${exitCode}.`, {
      cure: `its last log lines say why; README, "Exit codes", says what each means; mend that, and start the bot${commands.length > 0 ? ':' : ''}`,
      ...(commands.length > 0 && { commands }),
    }),
  ];
}

/** Commands that show the last lines of a run, wherever its supervisor keeps them. */
function logCommands(
  supervisor: SupervisorKind,
  { unit = 'lastcall', app = 'lastcall' }: Names,
): readonly string[] {
  if (supervisor === 'pm2') return [`pm2 logs ${shellWord(app)} --nostream --lines 50`];
  if (supervisor === 'container')
    return ['docker logs --tail 50 CONTAINER', 'kubectl logs --previous --tail 50 POD'];
  return supervisor === 'systemd' ? [`journalctl -u ${unit} -n 50 --no-pager -o cat`] : [];
}

function checkContents({ seen, kind }: InboxFacts): readonly Finding[] {
  // What is in a database is looked at there.
  if (kind === 'postgres' || !seen || seen.source === 'forbidden') return [];
  const bytes = sizeInWords(seen.inboxBytes);
  if (seen.source === 'process') {
    const [report] = seen.reports;
    if (!report) return [];
    const { counts, inbox } = report;
    const found = [
      ...deadFinding(counts.dead),
      ...((inbox.oldestMs ?? 0) > OLD_MS
        ? [
            warning(
              'inbox',
              `${count(counts.waiting + counts.running, 'update')} in the inbox, the oldest for ${durationInWords(inbox.oldestMs ?? 0)}.`,
              {
                cure: 'see which handler or chat holds it up:',
                commands: ['lastcall status'],
              },
            ),
          ]
        : []),
    ];
    return orWell(
      found,
      'inbox',
      `${counts.waiting} waiting, ${counts.running} running, no dead letters, ${bytes}`,
    );
  }
  const { inbox, unreadable, isRunning } = seen.onDisk;
  if (unreadable !== undefined)
    return [
      wrong('inbox', `The inbox cannot be read: ${unreadable}.`, {
        cure: 'this says more, and what to do:',
        commands: ['lastcall inbox'],
      }),
    ];
  if (!inbox) return [well('inbox', 'empty, no run has made one yet')];
  const waiting = inbox.waiting + inbox.begun;
  const found = [
    ...deadFinding(inbox.dead),
    ...(waiting > 0 && !isRunning
      ? [
          warning(
            'inbox',
            `${count(waiting, 'update')} in the inbox${inbox.oldestMs === undefined ? '' : `, the oldest for ${durationInWords(inbox.oldestMs)}`}, and nobody runs the bot.`,
            {
              cure: 'start the bot: it goes on with them',
            },
          ),
        ]
      : []),
  ];
  return orWell(found, 'inbox', `${waiting} waiting, no dead letters, ${bytes}`);
}

export const deadFinding = (dead: number): readonly Finding[] =>
  dead === 0
    ? []
    : [
        warning(
          'dead letters',
          `${count(dead, 'update')} given up, kept as dead letters: these people got no answer.`,
          {
            cure: 'see why, mend that, and have them handled again, or drop them:',
            commands: ['lastcall inbox', 'lastcall inbox retry --all', 'lastcall inbox drop --dead'],
          },
        ),
      ];

function unusedFinding({ path, updates, dead, isFormer }: UnusedInbox): Finding {
  const what = `${count(updates, 'update')} and ${count(dead, 'dead letter')}`;
  if (isFormer)
    return warning(
      'inbox',
      `A former version of lastcall has left an inbox at ${path}, with ${what}, which nobody handles.`,
      {
        cure: 'see what it is; if it is of this bot, stop the bot and move it into the bot’s own folder, once that is empty:',
        commands: [`lastcall inbox --bot ${path.split('/').at(-2) ?? path}`],
      },
    );
  return warning(
    'inbox',
    `The journal at ${path} holds ${what}, which nobody handles, because INBOX names another kind.`,
    {
      cure: 'run the bot with INBOX=journal until it is empty, or bring it into the database that INBOX names:',
      commands: ['INBOX=journal lastcall inbox', 'lastcall inbox move database'],
    },
  );
}
