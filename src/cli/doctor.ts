/** `lastcall doctor`: what is wrong around a bot, or will be, and what to do about it. */
import { fileURLToPath } from 'node:url';
import { parseArguments } from '../config/arguments.js';
import { invalid } from '../config/problem.js';
import { ExitCode } from '../exit-code.js';
import { wantsColour } from '../logging/colour.js';
import type { CommandContext } from './command.js';
import { examine } from './doctor/examine.js';
import { lookAround } from './doctor/look-around.js';
import { asJson, isWrong, render } from './doctor/render.js';
import { print } from './inbox/print.js';
import { accepted, options } from './options.js';

/**
 * Resolves to the exit code: 1 if something is wrong, else 0, also where something may become wrong. Rejects with a LastcallError
 * for arguments that cannot be used; settings that cannot be are findings.
 */
export async function doctor(io: CommandContext): Promise<number> {
  const { args, env, cwd, stdout, signal } = io;
  const begunAt = performance.now();
  const {
    flags,
    files,
    options: given,
  } = parseArguments(args, { options: accepted(options.doctor), files: 1 });
  if (flags.problems.length > 0) throw invalid(flags.problems);
  const facts = await lookAround({ env, cwd: cwd(), flags, file: files[0], poll: given.has('poll'), signal });
  const groups = examine(facts);
  const tookMs = performance.now() - begunAt;
  const colours = wantsColour(env, stdout.isTTY === true);
  await print(io, [
    given.has('json')
      ? `${asJson(groups, tookMs)}\n`
      : render(groups, { colours, tookMs, call: callOf(fileURLToPath(import.meta.url)) }),
  ]);
  return isWrong(groups) ? ExitCode.cut : ExitCode.clean;
}

/** How lastcall is called that is installed at a path: by `npx`, unless it is installed for all, or a checkout. */
export const callOf = (path: string): string =>
  path.includes('/node_modules/') && !path.includes('/lib/node_modules/') ? 'npx lastcall' : 'lastcall';
