/**
 * A Telegraf bot under pm2. In the folder of the bot, where lastcall is installed:
 *
 *     cp node_modules/lastcall/ecosystem.config.js ecosystem.config.mjs     (and say below which bot to run)
 *     pm2 start ecosystem.config.mjs
 *
 * The settings, BOT_TOKEN among them, are read from `.env` beside this file; those of the shell that calls pm2 come first.
 */
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** lastcall as this folder finds it: among its packages, or the checkout that this file is in. */
const lastcall = dirname(fileURLToPath(import.meta.resolve('lastcall/package.json')));
const logs = join(process.env.PM2_HOME ?? join(homedir(), '.pm2'), 'logs');

// Not `export default`: pm2 would not see it.
export const apps = [
  {
    name: 'lastcall',
    script: join(lastcall, 'dist', 'main.js'),
    // The bot comes behind `run`: ['run', 'bot.js']. Without it, BOT_MODULE names it.
    args: ['run'],
    // `.env`, and the file of the bot, are looked for here, wherever pm2 is called.
    cwd: import.meta.dirname,

    // Without pm2's instrumentation inside the process, which wraps `http` and takes some 9 MB.
    pmx: false,

    // One process polls; a second one could only stand by. 'cluster' is for a `pm2 reload` without a gap.
    exec_mode: 'fork',

    // pm2 start waits until the bot polls, or stands by; it waits for START_TIMEOUT (60 s) and a little more.
    wait_ready: true,
    listen_timeout: 65_000,

    // A stop may take STOP_TIMEOUT (90 s); after pm2's own 1.6 s a handler at work would be killed.
    kill_timeout: 95_000,
    // The signal goes to the bot alone: children that a handler waits for end when the handler has. Nor need there be a
    // `ps`, without which pm2 would send no signal at all, and kill.
    treekill: false,

    // Exit codes: 0 and 1 stopped (1: something was cut off), 70 a fault, 75 another poller: restart. 78 is configuration:
    // no restart helps. pm2 then shows `waiting restart` without a process, and waits for `pm2 restart`.
    stop_exit_codes: [78],
    // A restart comes after 0.1 s, the next after half as long again, up to 15 s, until one has lasted for 30 s. Without
    // it, pm2 gives up for good after 16 quick ends, as when a database is slow to come up.
    exp_backoff_restart_delay: 100,

    // All of the log is in the first; the second has what comes before there is a log, such as a missing setting. With
    // merge_logs all instances share them. No `time` or `log_date_format`: each line has its time, and stays JSON.
    out_file: join(logs, 'lastcall-out.log'),
    error_file: join(logs, 'lastcall-error.log'),
    merge_logs: true,
  },
];
