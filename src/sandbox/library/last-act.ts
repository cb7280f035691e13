/** The last thing that a person has done, which is what the report of a wait is about. */
import { describe, factsOf, nextStepFor } from './report.js';
import { SandboxError, type SandboxErrorCode } from './sandbox-error.js';
import type { SeenMessage } from './seen-message.js';
import type { Shared } from './shared.js';

export class LastAct {
  readonly #shared: Shared;
  #updateId: number | undefined;
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  /**
   * Sets it, by the update that tells the bot. Returns the id of the update.
   *
   * @throws SandboxError UPDATE_NOT_WANTED if the bot gets no such updates; CLOSED if there is nobody to get them any more
   */
  is(kind: string, updateId: number | undefined): number {
    const { account, clock, closing } = this.#shared;
    if (closing.aborted)
      throw new SandboxError('CLOSED', `The sandbox was closed before the bot was told of a ${kind}.`);
    if (updateId === undefined) {
      const { allowedUpdates } = account;
      const why = allowedUpdates
        ? `its allowed_updates are ${allowedUpdates.join(', ')}`
        : 'it has not asked for them in allowed_updates';
      throw new SandboxError('UPDATE_NOT_WANTED', `Telegram would not tell the bot of a ${kind}: ${why}.`);
    }
    this.#updateId = updateId;
    this.#atMs = account.updates.find(updateId)?.queuedAtMs ?? clock.now();
    return updateId;
  }

  /**
   * Makes the error of a wait that is over, with what the bot has done since the act. `fallbackStep` says what to do where this
   * points to nothing.
   */
  overdue(
    code: SandboxErrorCode,
    what: string,
    {
      unheard = [],
      fallbackStep,
    }: { readonly unheard?: readonly SeenMessage[]; readonly fallbackStep?: string | undefined } = {},
  ): SandboxError {
    const since = { updateId: this.#updateId, sinceMs: this.#atMs, unheard };
    const facts = factsOf(this.#shared.server, since);
    const nextStep = nextStepFor(facts) ?? fallbackStep;
    return new SandboxError(code, `${what}.\n${describe(facts)}`, nextStep === undefined ? {} : { nextStep });
  }
}
