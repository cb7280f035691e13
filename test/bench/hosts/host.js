/**
 * One host of a fleet: the shared inbox and the dispatcher of the built package, without Telegram and Telegraf, so that
 * nothing else limits them. Told what to do by the process that has started it, over IPC.
 *
 *     node host.js '{"url": "postgres://…", "handlerMs": 5}'
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { backgroundClock } from '../../../dist/clock.js';
import { Dispatcher } from '../../../dist/dispatch/dispatcher.js';
import { GroupSettlement } from '../../../dist/inbox/group-settlement.js';
import { createSharedInbox } from '../../../dist/shared-inbox.js';
import { albumOf, orderKey, updateKind } from '../../../dist/telegraf/order-key.js';
import { BATCH } from '../messages.js';
import { updatesOf } from './load.js';

/** How often the other process is told how many have been handled. */
const TELL_MS = 10;

/** As the default of `CONCURRENCY`. */
const CONCURRENCY = 256;

const { url, bot, handlerMs = 0, heldUpMs = 0 } = JSON.parse(process.argv[2]);

/** Changes never, so that to wait for a change is to stand still. */
const nothing = new Int32Array(new SharedArrayBuffer(4));

const stop = new AbortController();
let handled = 0;
let arrivals = [];
let willTell = false;

function tellSoon() {
  if (willTell) return;
  willTell = true;
  setTimeout(() => {
    willTell = false;
    process.send({ handled, arrivals });
    arrivals = [];
  }, TELL_MS);
}

/** What this process has used since it was started. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function end(error) {
  console.error(error);
  process.exit(1);
}

/** The same for all processes of a machine. */
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

async function handle({ update: { message } }) {
  if (message.fetchedAtMs !== undefined) arrivals.push(nowMs() - message.fetchedAtMs);
  if (handlerMs > 0) await sleep(handlerMs);
  if (heldUpMs > 0) Atomics.wait(nothing, 0, 0, heldUpMs);
  handled++;
  tellSoon();
}

const inbox = createSharedInbox(url, {
  bot,
  maxAttempts: 3,
  concurrency: CONCURRENCY,
  limit: 1_000_000,
  clock: backgroundClock,
  keyOf: (update) => orderKey(update, 'chat'),
  groupOf: albumOf,
  kindOf: updateKind,
  restore: (content) => content,
  errorText: String,
  available: () => dispatcher.wake(),
  emit: ({ event, error }) => {
    if (event === 'inbox.failed') end(error);
  },
});
const dispatcher = new Dispatcher({
  source: new GroupSettlement(inbox),
  concurrency: CONCURRENCY,
  handlerTimeoutMs: 90_000,
  clock: backgroundClock,
  nameOf: ({ updateId }) => `update ${updateId}`,
  historyOf: (entry) => entry,
  handle,
  emit: ({ event, error }) => {
    if (event === 'handler.failed' || event === 'dispatch.fault') end(error);
  },
});

/**
 * Accepts so many updates, a batch after the other, as the poller does; before each there is a round trip to Telegram.
 * Returns how long each batch took.
 */
async function accept({ count, chats, from, roundTripMs = 0 }) {
  const tookMs = [];
  for (let done = 0; done < count; done += BATCH) {
    const size = Math.min(BATCH, count - done);
    const batch = updatesOf({ from: from + done, count: size, chats });
    if (roundTripMs > 0) await sleep(roundTripMs);
    const since = performance.now();
    await inbox.accept(batch);
    tookMs.push(performance.now() - since);
  }
  return tookMs;
}

/** Accepts one update at a time, each with the time at which it was fetched. */
async function trickle({ count, chats, from, everyMs }) {
  for (let done = 0; done < count; done++) {
    await sleep(everyMs);
    await inbox.accept(updatesOf({ from: from + done, count: 1, chats, fetchedAtMs: nowMs() }));
  }
}

const commands = {
  open: () => inbox.open(),
  poll: async () => {
    await inbox.nextTurn(stop.signal);
  },
  standBy: () => {
    inbox.nextTurn(stop.signal).catch(() => {});
  },
  handle: () => dispatcher.start(),
  accept,
  trickle,
  cpuMs,
  close: async () => {
    stop.abort();
    inbox.drain();
    await dispatcher.drain(AbortSignal.timeout(5_000));
    await inbox.close();
    setImmediate(() => process.disconnect());
  },
};

process.on('message', async ({ id, command, argument }) => {
  const result = await commands[command](argument);
  process.send({ id, result });
});
