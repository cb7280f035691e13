/**
 * A server 50 ms away, and handlers of 200 ms: no program can have more than one batch a round trip, and one that waits
 * for each batch before it fetches the next has a fifth of that.
 */
import { startSandbox } from '../../../dist/sandbox/sandbox.js';
import { atLeast, byTurns, median, medians } from '../figures.js';
import { BATCH, messages } from '../messages.js';
import { withPeer } from '../peer.js';
import { peerNames } from '../peers.js';

const ROUND_TRIP_MS = 50;
const HANDLER_MS = 200;
const CHATS = 1_000;
const CONCURRENCY = 1_000;
const CALLS = 20;

export async function roundTrips({ tripUpdates }) {
  // As many round trips as there are batches; then the last handlers have their time.
  const roundTripMs = await measuredRoundTrip();
  const leastMs = (tripUpdates / BATCH) * roundTripMs + HANDLER_MS;
  const env = { UPDATES: `${tripUpdates}`, HANDLER_MS: `${HANDLER_MS}`, CONCURRENCY: `${CONCURRENCY}` };
  const prepare = (sandbox) => sandbox.addUpdates(messages(tripUpdates, CHATS));
  const options = { env, prepare, sandbox: { roundTripMs: ROUND_TRIP_MS } };

  const found = await byTurns(peerNames, 1, (name) =>
    withPeer(name, 'waits.mjs', options, async (peer) => {
      await peer.allHandled();
      return performance.now() - (peer.firstPollAt - ROUND_TRIP_MS / 2);
    }),
  );
  const figures = medians(found, (ms) => (tripUpdates / (ms - HANDLER_MS)) * 1_000);
  const share = leastMs / found.lastcall[0];
  return [
    {
      name: `${ROUND_TRIP_MS} ms round trips, handlers of ${HANDLER_MS} ms`,
      unit: '/s',
      figures,
      notes: [`a call that asks nothing takes ${roundTripMs.toFixed(1)} ms`],
      bounds: [atLeast('lastcall / 100 updates a round trip', share, 0.9)],
    },
  ];
}

/** What a round trip comes to where timers are only so exact, to a client that does nothing else. */
async function measuredRoundTrip() {
  const sandbox = await startSandbox({ roundTripMs: ROUND_TRIP_MS });
  try {
    const tookMs = [];
    for (let call = 0; call < CALLS; call++) {
      const from = performance.now();
      await (await fetch(`${sandbox.apiRoot}/bot${sandbox.token}/getMe`)).text();
      tookMs.push(performance.now() - from);
    }
    return median(tookMs);
  } finally {
    await sandbox.close();
  }
}
