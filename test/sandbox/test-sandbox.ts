/** Opens a sandbox with a client. Both are closed after the test. */
import { afterEach } from '@jest/globals';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.js';
import { SANDBOX_TOKEN } from '../../src/sandbox/sandbox-token.js';
import { FakeClock } from '../support/fake-clock.js';
import { Client, type Json } from './client.js';

export interface TestSandbox {
  readonly sandbox: Sandbox;
  readonly client: Client;
  /** The sandbox's clock, which only moves when it is stepped. */
  readonly clock: FakeClock;
  /** Calls a method with the token of the sandbox's first bot. */
  call(method: string, parameters?: object, signal?: AbortSignal): Promise<Json>;
}

const open: TestSandbox[] = [];

afterEach(async () => {
  for (const { sandbox, client } of open.splice(0)) {
    client.close();
    await sandbox.close();
  }
});

export async function openTestSandbox(options: SandboxOptions = {}): Promise<TestSandbox> {
  const clock = new FakeClock();
  const sandbox = await startSandbox({ clock, firstUpdateId: 100, token: SANDBOX_TOKEN, ...options });
  const client = new Client(sandbox.apiRoot);
  const opened: TestSandbox = {
    sandbox,
    client,
    clock,
    call: (method, parameters, signal) => client.call(sandbox.token, method, parameters, signal),
  };
  open.push(opened);
  return opened;
}

/** Resolves when a long poll of the sandbox's first bot is waiting. */
export const pollWaits = ({ sandbox }: TestSandbox): Promise<void> =>
  sandbox.waitFor(() => sandbox.state().waitingPolls === 1);
