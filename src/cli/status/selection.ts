/** Which bots a command is about: all of this host, unless its arguments name one. */
import type { Arguments } from '../../config/arguments.js';
import { isPostgresUrl } from '../../config/inbox-setting.js';
import { readSettings } from '../../config/load.js';
import { invalid } from '../../config/problem.js';
import { LastcallError } from '../../errors.js';
import { botKey, isFormerKey } from '../../host/bot-key.js';
import { identityOfToken } from '../../telegraf/identity.js';
import type { CommandContext } from '../command.js';
import { checkBot } from '../inbox/choose-inbox.js';
import { type Found, findBots } from './places.js';

/**
 * Returns a function that finds the bots. Rejects with a LastcallError for settings or arguments that cannot be used.
 *
 * @param command as people call it
 * @param named the value of `--bot`
 */
export async function selectBots(
  command: string,
  { env, cwd, signal }: CommandContext,
  { flags, files }: Pick<Arguments, 'flags' | 'files'>,
  named: string | undefined,
): Promise<() => Found> {
  const { values, problems } = await readSettings({ env, cwd: cwd(), flags, signal });
  if (problems.length > 0) throw invalid(problems);
  if (named !== undefined) checkBot(named);
  const { stateDir, botToken, telegramApiRoot, inbox } = values;
  const hasFile = files.length > 0 && named === undefined;
  if (hasFile && botToken === undefined)
    throw new LastcallError(
      'COMMAND_MISUSED',
      command,
      'a file does not tell which bot it runs, and no token is set here: name the bot by --bot, or leave out the file',
    );
  const wanted =
    hasFile && botToken !== undefined ? botKey(identityOfToken(botToken, telegramApiRoot)) : named;
  const isInDatabase = inbox !== undefined && isPostgresUrl(inbox);
  const isRoot = process.geteuid?.() === 0;
  return () => {
    const found = findBots(stateDir, isRoot);
    return {
      ...found,
      isInDatabase,
      bots: found.bots.filter(({ key }) => wanted === undefined || isNamed(key, wanted)),
      places: found.places.filter(
        (place) =>
          wanted === undefined ||
          place.keys.some((key) => isNamed(key, wanted)) ||
          // The bot will have its folder there.
          (place.keys.length === 0 && place.stateDir === stateDir),
      ),
    };
  };
}

/** Whether a bot's key is what was named: the bot's id, or the key itself. */
const isNamed = (key: string, bot: string): boolean =>
  key === bot || (isFormerKey(key) && key.startsWith(`${bot}-`));
