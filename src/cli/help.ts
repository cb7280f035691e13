/** `lastcall help` and `lastcall version`. */
import { readFileSync } from 'node:fs';
import { helpText } from '../config/help.js';
import { ExitCode } from '../exit-code.js';
import { isObject, parseJson } from '../json.js';
import type { CommandContext } from './command.js';

const commands = `lastcall runs a Telegraf bot as a daemon.

  lastcall run [FILE] [-- ARGUMENTS]   run the bot in FILE (default: BOT_MODULE, else the example bot)
  lastcall config [--json]             print the effective settings and the source of each
  lastcall inbox [--all] [--json]      list the updates in a bot's inbox, with its dead letters
  lastcall inbox show ID               print an update with its content
  lastcall inbox retry ID… | --all     retry dead letters
  lastcall inbox drop ID… | --dead     remove waiting updates or dead letters
                                       both: or only those with --why, --since, --kind
  lastcall inbox export                print all updates, one JSON object per line
                                       (list, export: --waiting, --dead; any: --bot ID)
  lastcall demo [--for 10s]            run the example bot against a local Bot API, with simulated chats
  lastcall sandbox [--port N]          run only the local Bot API server, to test bots with
  lastcall unit [FILE] [--user NAME] [--name UNIT]
                                       print a systemd unit for this host
  lastcall probe                       exit 0 if the bot in this container makes progress, else 1
  lastcall help                        print this help
  lastcall version                     print the version
`;

export async function help({ stdout }: CommandContext): Promise<number> {
  stdout.write(`${commands}\n${helpText()}\n`);
  return ExitCode.clean;
}

export async function version({ stdout }: CommandContext): Promise<number> {
  const manifest = parseJson(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  stdout.write(`${isObject(manifest) ? manifest['version'] : 'unknown'}\n`);
  return ExitCode.clean;
}
