import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Clock } from '../../src/clock.js';
import type { ApiAnswer, BotApi, CallOptions, GetUpdatesParameters } from '../../src/polling/bot-api.js';
import { Poller } from '../../src/polling/poller.js';
import { FakeClock } from '../support/fake-clock.js';
import { conflict, me, ok, refused, type TestUpdate, unreachable, updates } from './scripted-bot-api.js';

/** How Telegram treats offsets. */
class OffsetModel {
  readonly queue: number[] = [];
  readonly forgotten: number[] = [];
  tail = 1_000_000;

  add(): void {
    this.queue.push(this.tail++);
  }

  /** After a week of silence ids go on elsewhere, here lower. */
  jump(): void {
    if (this.queue.length === 0) this.tail -= 10_000;
  }

  get(offset = 0, limit = 100): number[] {
    if (offset <= this.tail)
      while (this.queue[0] !== undefined && this.queue[0] < offset)
        this.forgotten.push(...this.queue.splice(0, 1));
    return this.queue.slice(0, limit);
  }
}

/** What becomes of a request; those that name no answer never reach Telegram. */
const fates = {
  ok: undefined,
  'not connected': unreachable,
  'half-open': 'hang',
  'cut answer': { kind: 'unreachable', why: 'cut', detail: 'cut' },
  'another poller': conflict,
  flood: refused(429, 'Too Many Requests', 5),
  proxy: refused(502, 'Bad Gateway'),
  odd: refused(400, 'Bad Request'),
  'odd token': refused(401, 'Unauthorized'),
} as const;
type Fate = keyof typeof fates;

class ModelApi implements BotApi<TestUpdate> {
  calls = 0;
  underWay = 0;
  wake: () => void = () => {};
  readonly #clock: Clock;
  readonly #model: OffsetModel;
  readonly #fateOf: (call: number) => { fate: Fate; travelMs: number; arrivesThough: boolean };

  constructor(
    clock: Clock,
    model: OffsetModel,
    fateOf: (call: number) => { fate: Fate; travelMs: number; arrivesThough: boolean },
  ) {
    this.#clock = clock;
    this.#model = model;
    this.#fateOf = fateOf;
  }

  getMe = () => Promise.resolve(ok(me));
  getWebhookInfo = () => Promise.resolve(ok({ url: '', pendingUpdateCount: 0 }));
  deleteWebhook = () => Promise.resolve<ApiAnswer<unknown>>(ok(true));

  async getUpdates(
    { offset, timeoutSeconds, limit }: GetUpdatesParameters,
    { signal, answerWithinMs: timeoutMs }: CallOptions,
  ): Promise<ApiAnswer<TestUpdate[]>> {
    const { fate, travelMs, arrivesThough } = this.#fateOf(this.calls++);
    const answer = fates[fate];
    this.underWay++;
    try {
      if (fate === 'not connected') await this.#clock.sleep(Math.min(travelMs, timeoutMs), signal);
      if (fate === 'not connected') return unreachable;
      if (answer === 'hang' || travelMs > timeoutMs) {
        await this.#clock.sleep(timeoutMs, signal);
        return unreachable;
      }
      try {
        await this.#clock.sleep(travelMs, signal);
      } catch (error) {
        if (arrivesThough) this.#model.get(offset, limit);
        throw error;
      }
      if (this.#model.get(offset, limit).length === 0) await this.#updateOr(timeoutSeconds * 1000, signal);
      return answer ?? updates(...this.#model.get(offset, limit));
    } finally {
      this.underWay--;
    }
  }

  async #updateOr(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.wake = () => woken.abort();
    const end = () => woken.abort();
    signal.addEventListener('abort', end);
    await this.#clock.sleep(ms, woken.signal).catch(() => {});
    signal.removeEventListener('abort', end);
    signal.throwIfAborted();
  }
}

const scenario = fc.record({
  requests: fc.array(
    fc.record({
      fate: fc.oneof(
        { weight: 3, arbitrary: fc.constant<Fate>('ok') },
        { weight: 2, arbitrary: fc.constantFrom(...(Object.keys(fates) as Fate[])) },
      ),
      travelMs: fc.integer({ min: 1, max: 400 }),
      arrivesThough: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  steps: fc.array(
    fc.record({
      forMs: fc.oneof(fc.nat(400), fc.nat(20_000)),
      add: fc.oneof(fc.nat(3), fc.nat(150)),
      jump: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  handlingMs: fc.constantFrom(0, 10, 700, 5_000),
  settledAtStop: fc.double({ min: 0, max: 1, noNaN: true }),
  quietBeforeStop: fc.boolean(),
});

describe('polling, under faults, against a model of how Telegram treats offsets', () => {
  it('accepts each update once, confirms only what accept gave back, and always ends', async () => {
    let quiet = 0;
    await fc.assert(
      fc.asyncProperty(scenario, async ({ requests, steps, handlingMs, settledAtStop, quietBeforeStop }) => {
        const clock = new FakeClock();
        const model = new OffsetModel();
        let faulty = true;
        const calm = { fate: 'ok', travelMs: 20, arrivesThough: true } as const;
        const api = new ModelApi(
          clock,
          model,
          (call) => (faulty && requests[call % requests.length]) || calm,
        );
        const stop = new AbortController();
        const accepted: number[] = [];
        const safe = new Set<number>();

        const poller = new Poller<TestUpdate>({
          api,
          accept: async (batch) => {
            const ids = batch.map(({ update_id }) => update_id);
            accepted.push(...ids);
            await clock.sleep(handlingMs);
            const settled = stop.signal.aborted ? ids.slice(0, Math.floor(ids.length * settledAtStop)) : ids;
            for (const id of settled) safe.add(id);
            const last = settled.at(-1);
            return last === undefined ? undefined : last + 1;
          },
          allowedUpdates: [],
          pollTimeoutMs: 50_000,
          conflictPatienceMs: Number.POSITIVE_INFINITY,
          deleteWebhook: true,
          dropPending: false,
          confirmTimeoutMs: 1_000,
          clock,
          random: () => 0.5,
          emit: () => {},
        });

        let ended = false;
        const run = poller.run(stop.signal).finally(() => {
          ended = true;
        });
        let added = 0;
        for (const { forMs, add, jump } of steps) {
          await clock.advance(forMs);
          if (jump) model.jump();
          for (let i = 0; i < add; i++) model.add();
          added += add;
          api.wake();
        }
        if (quietBeforeStop) {
          faulty = false;
          await clock.advance(180_000);
        }
        const elapsedMs = clock.now();
        stop.abort(new Error('stop'));
        // The confirm's second, and the batch in work.
        await clock.advance(1_000 + handlingMs);
        expect(ended).toBe(true);
        const { error, fetched, unconfirmed } = await run;

        expect(new Set(accepted).size).toBe(accepted.length);
        expect(fetched).toBe(accepted.length);
        expect(model.forgotten.filter((id) => !safe.has(id))).toEqual([]);
        if (unconfirmed === 0) expect(model.queue.filter((id) => safe.has(id))).toEqual([]);
        expect(clock.pending).toBe(0);
        expect(api.underWay).toBe(0);
        expect(api.calls).toBeLessThan(20 + 2 * added + (5 * elapsedMs) / 1000);
        if (error) expect(['POLL_REJECTED', fetched === 0 && 'TOKEN_REFUSED']).toContain(error.code);
        else if (quietBeforeStop) {
          quiet++;
          expect(accepted).toHaveLength(added);
          expect(model.queue).toEqual([]);
        } else if (requests.every(({ fate }) => fate === 'ok'))
          expect(model.queue.filter((id) => safe.has(id))).toEqual([]);
      }),
      { numRuns: 200 },
    );
    expect(quiet).toBeGreaterThan(20);
  });
});
