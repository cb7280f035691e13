/** Starts sandboxes for tests. */
import { describeThrown } from '../../thrown.js';
import type { SandboxOptions } from './options.js';
import { misuse, SandboxError } from './sandbox-error.js';
import { TestSandbox } from './test-sandbox.js';

/**
 * Starts a local Bot API server for the test of a bot, on a free port of 127.0.0.1. Each is a world of its own, and any
 * number may be open at once. While one is open, it keeps the process alive.
 *
 * @example
 * const sandbox = await createSandbox();
 * const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
 * bot.start((ctx) => ctx.reply(`Hello, ${ctx.from.first_name}!`));
 * await sandbox.start(bot);
 *
 * const ann = sandbox.person('Ann');
 * await ann.say('/start');
 * await ann.hears('Hello, Ann!');
 *
 * await sandbox.close();
 *
 * @throws SandboxError MISUSED for an option that makes no sense, or a port that is in use
 */
export async function createSandbox(options: SandboxOptions = {}): Promise<TestSandbox> {
  const sandbox = misuse(() => new TestSandbox(options), 'correct the option, or leave it out');
  const { port = 0 } = options;
  try {
    await sandbox.listen(port);
  } catch (error) {
    throw new SandboxError(
      'MISUSED',
      `The sandbox cannot listen on port ${port}: ${describeThrown(error)}.`,
      {
        nextStep: 'leave the port out, for any that is free',
        cause: error,
      },
    );
  }
  return sandbox;
}
