/**
 * Runs a Telegraf bot under pm2. In the bot's folder, where lastcall is installed:
 *
 *     cp node_modules/lastcall/ecosystem.config.js ecosystem.config.mjs     (and name the bot to run in `args`)
 *     pm2 start ecosystem.config.mjs
 *
 * Settings such as BOT_TOKEN are read from `.env` beside this file; the environment of the shell that calls pm2 takes
 * precedence.
 */
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of lastcall: the installed package, or the checkout that contains this file. */
const lastcall = dirname(fileURLToPath(import.meta.resolve('lastcall/package.json')));
const logs = join(process.env.PM2_HOME ?? join(homedir(), '.pm2'), 'logs');

// pm2 does not read a default export.
export const apps = [
  {
    name: 'lastcall',
    script: join(lastcall, 'dist', 'main.js'),
    // Name your bot here: ['run', 'bot.js']. Otherwise BOT_MODULE has to name it, or the start is refused (78): a
    // supervisor never starts lastcall's example bot unless that is named.
    args: ['run'],
    // The folder of `.env` and the bot, wherever pm2 is called.
    cwd: import.meta.dirname,

    // Turns off pm2's instrumentation, which wraps `http` and takes about 9 MB.
    pmx: false,

    // Only one process polls, and others stand by. Use 'cluster' for `pm2 reload` without a gap.
    exec_mode: 'fork',

    // pm2 start waits until the bot polls or stands by, for START_TIMEOUT (60 s) plus 5 s at most.
    wait_ready: true,
    listen_timeout: 65_000,

    // STOP_TIMEOUT (90 s) plus 5 s; pm2's default of 1.6 s would kill handlers that are running.
    kill_timeout: 95_000,
    // Signals the bot only, so that child processes of handlers can finish. With `treekill`, pm2 needs `ps`, and kills
    // without a signal if `ps` is missing.
    treekill: false,

    // Exit codes: 0 and 1 (stopped; 1: something was cut off), 70 (a fault) and 75 (another poller) lead to a restart,
    // and 78 (configuration) does not: pm2 then shows `waiting restart` without a process, until `pm2 restart`.
    stop_exit_codes: [78],
    // Delays restarts by 0.1 s, then each by half as much again, up to 15 s, until a run has lasted for 30 s. Without
    // this setting, pm2 gives up after 16 quick exits, for example while a database is down.
    exp_backoff_restart_delay: 100,

    // The whole log goes to out_file; error_file gets what happens before logging starts, such as a missing setting.
    // With merge_logs all instances share the files. `time` and `log_date_format` are unset: each line has its time,
    // and is JSON.
    out_file: join(logs, 'lastcall-out.log'),
    error_file: join(logs, 'lastcall-error.log'),
    merge_logs: true,
  },
];
