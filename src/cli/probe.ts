/** `lastcall probe`: whether the run in this container makes progress, for HEALTHCHECK and for exec probes. */
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { ExitCode } from '../exit-code.js';
import { HEARTBEAT_WITHIN_MS } from '../host/container.js';
import { heartbeatAgeMs, heartbeatFile } from '../host/heartbeat.js';
import { durationInWords } from '../words.js';
import type { CommandContext } from './command.js';

/** Exits 0 where the watchdog of a unit would leave the run alone, and 1 where it would restart it. */
export async function probe({ args, env, stdout }: CommandContext): Promise<number> {
  refuseBadArguments(parseArguments(args, { files: 0 }));
  const path = heartbeatFile(env);
  const ageMs = heartbeatAgeMs(path);
  if (ageMs !== undefined && ageMs <= HEARTBEAT_WITHIN_MS) {
    stdout.write(`alive: progress ${durationInWords(ageMs)} ago\n`);
    return ExitCode.clean;
  }
  stdout.write(
    ageMs === undefined
      ? `no sign of life: there is no heartbeat at ${path}, which a run in a container writes\n`
      : `stalled: no progress for ${durationInWords(ageMs)}\n`,
  );
  return ExitCode.cut;
}
