/** `lastcall help` and `lastcall version`. */
import { readFileSync } from 'node:fs';
import { helpText } from '../config/help.js';
import { ExitCode } from '../exit-code.js';
import type { CommandContext } from './command.js';

const commands = `lastcall runs a Telegraf bot as a daemon.

  lastcall run [FILE] [-- ARGUMENTS]   run the bot in FILE (or BOT_MODULE; else the example bot)
  lastcall config [--json]             print the settings in force and where each came from
  lastcall inbox [--all] [--json]      list the updates that a bot has in work, or has given up
  lastcall inbox show ID               print an update with its content
  lastcall inbox retry ID… | --all     try updates again that were given up
  lastcall inbox drop ID… | --dead     drop updates that wait, or were given up
  lastcall inbox export                print all of them, one JSON object a line
                                       (list and export: --waiting, --dead; all: --bot ID)
  lastcall demo [--for 10s]            run the example bot on a local Bot API, and chat with it
  lastcall sandbox [--port N]          run the local Bot API server alone, to try bots with
  lastcall unit [FILE] [--user NAME]   print a systemd unit fitted to this host
  lastcall help                        print this
  lastcall version                     print the version
`;

export async function help({ process }: CommandContext): Promise<number> {
  process.stdout.write(`${commands}\n${helpText()}\n`);
  return ExitCode.clean;
}

export async function version({ process }: CommandContext): Promise<number> {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const found = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  process.stdout.write(`${found ? manifest.version : 'unknown'}\n`);
  return ExitCode.clean;
}
