/** Checks an app of pm2: a process that runs, by its environment, or one that the ecosystem file beside the bot describes. */
import { ExitCode } from '../../exit-code.js';
import { beforeKill } from '../../host/kill-margin.js';
import { killTimeoutOf } from '../../host/pm2.js';
import { recommendedKillAfterMs } from '../../host/supervisor.js';
import { durationInWords } from '../../words.js';
import { type Finding, orWell, shellWord, warning, wrong } from './finding.js';

/** The settings that pm2 has of an app, as texts. Where one is not set, it is undefined. */
export interface Pm2App {
  readonly name: string;
  /** Where they come from: `process 4711`, or the file. */
  readonly from: string;
  readonly script: string;
  /** The bot's file in its arguments; undefined where they name none. */
  readonly file: string | undefined;
  /** The ecosystem file that is to be changed; undefined where there is none. */
  readonly ecosystem: string | undefined;
  readonly killTimeout: string | undefined;
  readonly stopExitCodes: string | undefined;
}

/** The name that README gives the copy of the file that lastcall brings. */
const SHIPPED = 'ecosystem.config.mjs';

/** Whether the script of an app starts another one by a package manager. */
export const isPackageManager = (script: string): boolean => /^(\S*\/)?(npm|npx|yarn)(\s|$)/.test(script);

export function checkPm2(app: Pm2App, stopTimeoutMs: number): readonly Finding[] {
  const { name, from, ecosystem, killTimeout, stopExitCodes, script } = app;
  const killAfterMs = killTimeoutOf(killTimeout);
  const isSet = killTimeout !== undefined;
  const where = `pm2's app ${name} (${from})`;
  const again = shellWord(ecosystem ?? SHIPPED);
  const copy = ecosystem === undefined ? [`cp node_modules/lastcall/ecosystem.config.js ${SHIPPED}`] : [];
  const startAnew = [...copy, `pm2 delete ${shellWord(name)} && pm2 start ${again} && pm2 save`];
  const place = ecosystem === undefined ? `an ecosystem file, as lastcall brings one,` : ecosystem;
  const restart = ecosystem === undefined ? startAnew : [`pm2 restart ${again} --update-env && pm2 save`];
  const found: Finding[] = [];
  if (isPackageManager(script))
    found.push(
      wrong('pm2', `${where} starts the bot by ${script}, which keeps the stop signal from it.`, {
        cure: `start lastcall itself: in ${place} have script: 'node_modules/lastcall/dist/main.js' and args: ['run', 'bot.js'], with the bot's own file, and:`,
        commands: startAnew,
      }),
    );
  if (beforeKill(killAfterMs) < stopTimeoutMs)
    found.push(
      warning(
        'pm2',
        `${where} is killed ${killAfterMs} ms after a stop begins (kill_timeout${isSet ? '' : ' is not set'}), so a stop gets ${durationInWords(beforeKill(killAfterMs))} and not the ${durationInWords(stopTimeoutMs)} of STOP_TIMEOUT: handlers are cut, and handled again.`,
        {
          cure: `set kill_timeout: ${recommendedKillAfterMs(stopTimeoutMs)} in ${place}, and:`,
          commands: restart,
        },
      ),
    );
  if (!(stopExitCodes ?? '').match(/\d+/g)?.includes(`${ExitCode.configuration}`))
    found.push(
      warning(
        'pm2',
        `${where} is started again and again where a setting is wrong (exit code ${ExitCode.configuration}), which no restart mends.`,
        {
          cure: `set stop_exit_codes: [${ExitCode.configuration}] in ${place}, and:`,
          commands: restart,
        },
      ),
    );
  return orWell(found, 'pm2', `app ${name} (${from}): kill_timeout ${killAfterMs} ms`);
}
