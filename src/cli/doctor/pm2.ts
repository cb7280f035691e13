/** Checks an app of pm2: a process that runs, by its environment, or one that the ecosystem file beside the bot describes. */
import { ExitCode } from '../../exit-code.js';
import { beforeKill } from '../../host/kill-margin.js';
import { killTimeoutOf } from '../../host/pm2.js';
import { recommendedKillAfterMs } from '../../host/supervisor.js';
import { durationInWords } from '../../words.js';
import { type Finding, orWell, warning, wrong } from './finding.js';

/** The settings that pm2 has of an app, as texts. Where one is not set, it is undefined. */
export interface Pm2App {
  readonly name: string;
  /** Where they come from: `process 4711`, or the file. */
  readonly from: string;
  readonly script: string;
  /** The bot's file in its arguments; undefined where they name none. */
  readonly file: string | undefined;
  readonly killTimeout: string | undefined;
  readonly stopExitCodes: string | undefined;
}

export function checkPm2(app: Pm2App, stopTimeoutMs: number): readonly Finding[] {
  const { name, from, killTimeout, stopExitCodes, script } = app;
  const killAfterMs = killTimeoutOf(killTimeout);
  const isSet = killTimeout !== undefined;
  const where = `pm2's app ${name} (${from})`;
  const restart = ['pm2 restart ecosystem.config.mjs --update-env && pm2 save'];
  const found: Finding[] = [];
  if (/(^|\/)(npm|npx|yarn)$/.test(script))
    found.push(
      wrong('pm2', `${where} starts the bot by ${script}, which keeps the stop signal from it.`, {
        cure: 'start lastcall itself, by the ecosystem file that it brings:',
        commands: [
          'cp node_modules/lastcall/ecosystem.config.js ecosystem.config.mjs',
          'pm2 start ecosystem.config.mjs',
        ],
      }),
    );
  if (beforeKill(killAfterMs) < stopTimeoutMs)
    found.push(
      warning(
        'pm2',
        `${where} is killed ${killAfterMs} ms after a stop begins (kill_timeout${isSet ? '' : ' is not set'}), so a stop gets ${durationInWords(beforeKill(killAfterMs))} and not the ${durationInWords(stopTimeoutMs)} of STOP_TIMEOUT: handlers are cut, and handled again.`,
        {
          cure: `set kill_timeout: ${recommendedKillAfterMs(stopTimeoutMs)} in its settings, and:`,
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
          cure: `set stop_exit_codes: [${ExitCode.configuration}] in its settings, and:`,
          commands: restart,
        },
      ),
    );
  return orWell(found, 'pm2', `app ${name} (${from}): kill_timeout ${killAfterMs} ms`);
}
