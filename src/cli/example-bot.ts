/** The bot that runs where none is named. */
import { fileURLToPath } from 'node:url';
import { invalid } from '../config/problem.js';
import type { LastcallError } from '../errors.js';

/** Whoever names this file asks for the example bot. */
export const exampleBotFile = fileURLToPath(new URL('../bot.js', import.meta.url));

const HOW_TO_NAME = 'name its file, as in `lastcall run bot.js`, or set BOT_MODULE';

export const exampleBotWarning = `no bot is named, so that lastcall's example bot answers everybody who writes to this bot: ${HOW_TO_NAME}`;

/** The refusal to start under a supervisor, where nobody reads a warning. */
export function noBotNamed(): LastcallError {
  const sentence = `which bot? None is named: ${HOW_TO_NAME}; lastcall's example bot is \`lastcall run ${exampleBotFile}\``;
  return invalid([{ culprit: 'BOT_MODULE', sentence }]);
}
