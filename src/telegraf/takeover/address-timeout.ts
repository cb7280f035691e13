/**
 * How long each of a host's addresses may take to answer before the next one is tried. Node allows 250 ms, less than one
 * round trip by satellite: no connection would ever be made there, and a program's own agents wait no longer either. So
 * Node's default is raised for the whole process.
 */
import net from 'node:net';

const LONGEST_MS = 5_000;

/** A line of 1.2 s needs two steps; larger ones would let people wait where one of the addresses is dead. */
const STEP = 4;

/** The default before it was raised, and the one that it was raised to. */
let raised: { readonly fromMs: number; readonly toMs: number } | undefined;

/** The present time for each address, in milliseconds. */
export const addressTimeoutMs = (): number => net.getDefaultAutoSelectFamilyAttemptTimeout();

/** Gives each address more time, because one did not answer within the present one. */
export function raiseAddressTimeout(): void {
  const presentMs = addressTimeoutMs();
  if (presentMs >= LONGEST_MS) return;
  const toMs = Math.min(LONGEST_MS, presentMs * STEP);
  raised = { fromMs: raised?.toMs === presentMs ? raised.fromMs : presentMs, toMs };
  net.setDefaultAutoSelectFamilyAttemptTimeout(toMs);
}

/**
 * Gives each address the time that it had before, unless the program has set another meanwhile.
 *
 * @param answeredMs how long an address has just taken; the time stays raised if that is more than it had before
 */
export function restoreAddressTimeout(answeredMs = 0): void {
  if (!raised || answeredMs >= raised.fromMs) return;
  if (raised.toMs === addressTimeoutMs()) net.setDefaultAutoSelectFamilyAttemptTimeout(raised.fromMs);
  raised = undefined;
}
