/** The errors of the library for tests: what has happened, what the bot has done instead, and what to do next. */
import { ApiError } from '../api-response.js';

/** What is usually to be done about each error; the report of a wait may know better. */
export const nextSteps = {
  NOT_HEARD: 'look at the calls of the bot above, or give it more time with { within }',
  HEARD: 'if the bot may write this, hear it first, with hears()',
  NOT_SETTLED:
    'see which call or update is left over; a bot that has stopped polling cannot settle, and hears() waits for a single message',
  NO_BUTTON:
    'press one of the buttons that there are, by the whole text on it or its callback data; with { message } it is pressed at once',
  NOT_ANSWERED:
    'answer it in the handler (answerCbQuery, answerInlineQuery): until then a person sees the button at work',
  UPDATE_NOT_WANTED: 'name the kind of update in allowed_updates, which the bot gives when it is launched',
  NOT_TRUE: 'see what the bot has called above, or give it more time with { within }',
  BOT_NOT_POLLING:
    'build the bot with the apiRoot and the token of the sandbox; for Telegraf new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } })',
  BOT_FAILED:
    'fix the error named as the cause, or handle it in the bot (bot.catch); if the test expects it, await `ended` of what sandbox.start() returns',
  BOT_NOT_STOPPED: 'find what its handlers wait for, and end it when the bot stops',
  CLOSED: 'await everything that people do and hear before sandbox.close()',
  MISUSED: 'correct what the message names',
} as const satisfies Record<string, string>;

/** What kind of error it is, for programs. */
export type SandboxErrorCode = keyof typeof nextSteps;

/** An error that the library raises. Its message says what has happened and what to do next. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
  readonly code: SandboxErrorCode;
  /** What to do about it. */
  readonly nextStep: string;

  constructor(
    code: SandboxErrorCode,
    what: string,
    { nextStep = nextSteps[code], cause }: { readonly nextStep?: string; readonly cause?: unknown } = {},
  ) {
    super(`${what}\nNext step: ${nextStep}.`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.nextStep = nextStep;
  }
}

/**
 * Returns what the function returns, and makes what it throws about its arguments the error of a misuse, with the step that
 * mends it.
 *
 * @internal
 */
export function misuse<T>(run: () => T, nextStep: string): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof ApiError)) throw error;
    throw new SandboxError('MISUSED', `${error.message}.`, { nextStep, cause: error });
  }
}
