/** A sandbox and a client of it for the length of one test. */
import { afterEach } from '@jest/globals';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.js';
import { FakeClock } from '../support/fake-clock.js';
import { Client, type Json } from './client.js';

export interface Hosted {
  readonly sandbox: Sandbox;
  readonly client: Client;
  /** Stands still unless stepped. */
  readonly clock: FakeClock;
  /** Calls a method as the sandbox's own bot. */
  call(method: string, parameters?: object, signal?: AbortSignal): Promise<Json>;
}

const open: Hosted[] = [];

afterEach(async () => {
  for (const { sandbox, client } of open.splice(0)) {
    client.close();
    await sandbox.close();
  }
});

export async function hosted(options: SandboxOptions = {}): Promise<Hosted> {
  const clock = new FakeClock();
  const sandbox = await startSandbox({ clock, firstUpdateId: 100, ...options });
  const client = new Client(sandbox.apiRoot);
  const one: Hosted = {
    sandbox,
    client,
    clock,
    call: (method, parameters, signal) => client.call(sandbox.token, method, parameters, signal),
  };
  open.push(one);
  return one;
}

/** Resolves once a long poll of the sandbox's own bot waits. */
export const pollWaits = ({ sandbox }: Hosted): Promise<void> =>
  sandbox.waitFor(() => sandbox.state().waitingPolls === 1);
