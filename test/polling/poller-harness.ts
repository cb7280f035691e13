import type { PollingEvent } from '../../src/polling/events.js';
import { Poller, type PollerOptions, type PollingEnd } from '../../src/polling/poller.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import { ScriptedBotApi, type TestUpdate } from './scripted-bot-api.js';

export const reason = new Error('stop');
export const POLL_MS = 50_000;

/** A poller on a stepped clock over a scripted API; jitter always falls in the middle. */
export function given(options: Partial<PollerOptions<TestUpdate>> = {}) {
  const clock = new FakeClock();
  const api = new ScriptedBotApi(clock);
  const events: PollingEvent[] = [];
  const batches: number[][] = [];
  const controller = new AbortController();
  let latestEndWhenAccepting: number | undefined;
  const poller: Poller<TestUpdate> = new Poller({
    api,
    accept: (batch) => {
      latestEndWhenAccepting = poller.latestEnd;
      batches.push(batch.map(({ update_id }) => update_id));
      const last = batch.at(-1);
      return Promise.resolve(last && last.update_id + 1);
    },
    allowedUpdates: ['message', 'poll'],
    pollTimeoutMs: POLL_MS,
    conflictPatienceMs: 120_000,
    deleteWebhook: true,
    dropPending: false,
    confirmTimeoutMs: 1_000,
    clock,
    random: () => 0.5,
    emit: (event) => events.push(event),
    ...options,
  });
  return {
    clock,
    api,
    events,
    batches,
    poller,
    get latestEndWhenAccepting() {
      return latestEndWhenAccepting;
    },
    named: (name: PollingEvent['event']) => events.filter(({ event }) => event === name),
    /** Starts polling and lets all that can happen at once do so. */
    async start() {
      const end = poller.run(controller.signal);
      await settle();
      return {
        end,
        /** Stops, and resolves with the end if that comes without a step of the clock. */
        async stop(): Promise<PollingEnd | 'waits'> {
          controller.abort(reason);
          await settle();
          return Promise.race([end, Promise.resolve('waits' as const)]);
        },
      };
    },
  };
}

/** The parameters of each poll, in order. */
export const polls = (api: ScriptedBotApi) => api.of('getUpdates').map(({ parameters }) => parameters);
