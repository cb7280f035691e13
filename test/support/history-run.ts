/** Runs `lastcall history` of the built program. */
import { spawnDaemon } from './daemon.js';

/** Times are told in UTC. */
export async function history(
  stateDir: string,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const env = { STATE_DIR: stateDir, TZ: 'UTC' };
  await using program = spawnDaemon({ args: ['history', ...args], env });
  const { code } = await program.end();
  return { code, output: program.output };
}
