/** What can be seen of all bots of a run, of each and together, also of those that have ended. */
import type { ReceiptCounts } from './logging/receipt.js';
import type { CurrentStep } from './observe/progress.js';
import type { Activity, PipelineGauges, PipelineMeters, PipelineView } from './pipeline-gauges.js';
import { Tally } from './tally.js';

/** What is measured of a bot. */
export interface BotMeters extends PipelineMeters {
  readonly counts: ReceiptCounts;
}

/** A bot as it is seen here. */
export interface GaugedBot {
  readonly key: string;
  /** Undefined before the bot is opened. */
  readonly pipeline: { readonly gauges: PipelineGauges } | undefined;
}

export class BotsGauges {
  readonly #bots: Iterable<GaugedBot>;
  readonly #tally = new Tally();

  /** @param bots the bots that have not ended, in the order of their launches, as they are whenever it is looked */
  constructor(bots: Iterable<GaugedBot>) {
    this.#bots = bots;
  }

  /** Keeps the counts of a bot that has ended, which is about to be missing among the bots. */
  ended({ key, pipeline }: GaugedBot): void {
    if (pipeline) this.#tally.add(key, pipeline.gauges.counts);
  }

  /** The activity of all bots together; `latestEnd` is that of the bot whose step ends first. */
  get activity(): Activity {
    const { handled, caught, failed, timedOut, expired, putBack } = this.counts;
    const all = this.#gauges().map(([, gauges]) => gauges.activity);
    const total = (name: 'running' | 'waiting' | 'dead') => all.reduce((sum, one) => sum + one[name], 0);
    return {
      running: total('running'),
      handled,
      caught,
      failed,
      timedOut,
      expired,
      putBack,
      waiting: total('waiting'),
      dead: total('dead'),
      latestEnd: Math.min(...all.map(({ latestEnd }) => latestEnd)),
    };
  }

  /** What the bot with this key has at work; undefined before it was launched. */
  view(key: string): PipelineView | undefined {
    return this.#gaugesOf(key)?.view;
  }

  /** What is measured of the bot with this key, with its counts in all launches; undefined before it was launched. */
  meters(key: string): BotMeters | undefined {
    const gauges = this.#gaugesOf(key);
    return gauges && { ...gauges.meters, counts: this.#tally.joined(key, gauges.counts) };
  }

  /** What became of the updates of the bot with this key since it was launched last; undefined before that. */
  countsOf(key: string): ReceiptCounts | undefined {
    return this.#gaugesOf(key)?.counts;
  }

  /** What each bot may have under way. */
  get steps(): readonly CurrentStep[] {
    return this.#gauges().flatMap(([, { steps }]) => steps);
  }

  /** The counts of all bots together, also of those that have ended; `confirmedUpTo` only where there was one bot. */
  get counts(): ReceiptCounts {
    return this.#tally.total(this.#gauges().map(([key, { counts }]) => [key, counts] as const));
  }

  #gaugesOf(key: string): PipelineGauges | undefined {
    return this.#gauges().findLast(([of]) => of === key)?.[1];
  }

  #gauges(): readonly (readonly [key: string, gauges: PipelineGauges])[] {
    return [...this.#bots].flatMap(({ key, pipeline }) =>
      pipeline ? [[key, pipeline.gauges] as const] : [],
    );
  }
}
