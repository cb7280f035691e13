/** Whether a bot has settled: nothing that was said is left to it, and it asks for more. */
import type { Call } from '../calls.js';
import type { Sandbox as Server } from '../sandbox.js';
import { isPoll } from './report.js';

export class Settling {
  readonly #server: Server;
  /** The calls that are not over, without polls. */
  readonly #inFlight = new Map<number, Call>();

  constructor(server: Server) {
    this.#server = server;
    server.changes.subscribe((change) => {
      if (change.kind !== 'call' || change.call.bot !== server.id || isPoll(change.call.method)) return;
      const { call } = change;
      // A call is told when it has come, and again when it is over.
      if (!this.#inFlight.delete(call.number)) this.#inFlight.set(call.number, call);
    });
  }

  /** Whether all updates are confirmed, no call is under way, and a poll waits. */
  get isSettled(): boolean {
    return this.leftOver.length === 0;
  }

  /** What is left, in words. */
  get leftOver(): readonly string[] {
    const { queued, waitingPolls } = this.#server.state();
    return [
      ...(queued > 0 ? [`${queued} not confirmed`] : []),
      ...Array.from(this.#inFlight.values(), ({ method }) => `${method} is under way`),
      ...(waitingPolls === 0 ? ['it does not wait in a poll'] : []),
    ];
  }
}
