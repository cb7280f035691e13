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

/** What each client needs, where that is more than the default: the longest holds for all. */
const needs = new Map<AddressTimeout, number>();

/** The present time for each address, in milliseconds. */
export const addressTimeoutMs = (): number => net.getDefaultAutoSelectFamilyAttemptTimeout();

/** What one client, of several bots perhaps, makes of the time for each address. */
export class AddressTimeout {
  /** Gives each address more time, because one did not answer within the present one. */
  raise(): void {
    const presentMs = addressTimeoutMs();
    // A program may have set a longer one.
    if (presentMs > LONGEST_MS) return;
    needs.set(this, Math.min(LONGEST_MS, presentMs * STEP));
    setDefault(presentMs);
  }

  /** Notes how long an address has taken to answer: a client whose addresses are quick needs no more than before. */
  answered(tookMs: number): void {
    if (raised && tookMs >= raised.fromMs) needs.set(this, raised.toMs);
    else this.end();
  }

  /** Gives each address the time that it had before, unless another client needs more, or the program has set another. */
  end(): void {
    if (!raised || !needs.delete(this)) return;
    const presentMs = addressTimeoutMs();
    if (raised.toMs !== presentMs) needs.clear();
    if (needs.size > 0) {
      setDefault(presentMs);
      return;
    }
    if (raised.toMs === presentMs) net.setDefaultAutoSelectFamilyAttemptTimeout(raised.fromMs);
    raised = undefined;
  }
}

function setDefault(presentMs: number): void {
  const toMs = Math.max(...needs.values());
  raised = { fromMs: raised?.toMs === presentMs ? raised.fromMs : presentMs, toMs };
  net.setDefaultAutoSelectFamilyAttemptTimeout(toMs);
}
