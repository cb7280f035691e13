/** What can be seen of a pipeline from outside, while it works and afterwards. */
import type { Update } from 'telegraf/types';
import type { Clock } from './clock.js';
import type { Dispatcher } from './dispatch/dispatcher.js';
import type { CurrentJam, JamWatch } from './dispatch/jam-watch.js';
import type { Entry, Inbox, InboxReport } from './inbox/inbox.js';
import type { ReceiptCounts } from './logging/receipt.js';
import { HandlerTimes, type HandlerTimesSummary } from './observe/handler-times.js';
import type { CurrentStep } from './observe/progress.js';
import type { RunningHandler } from './observe/status/report.js';
import type { FailureClass } from './polling/failure.js';
import type { PollingEnd } from './polling/poller.js';

/** How a bot does at a moment. */
export interface Activity {
  /** The number of handlers at work. */
  readonly running: number;
  /** What became of updates since the process started. */
  readonly handled: number;
  readonly caught: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly expired: number;
  /** How often an update was put back. */
  readonly putBack: number;
  /** Updates that wait for their handler. */
  readonly waiting: number;
  /** Dead letters that are kept. */
  readonly dead: number;
  /** When the step at work has to have ended, in the clock's milliseconds; Infinity where nothing is under way. */
  readonly latestEnd: number;
}

/** What a bot has at work at a moment, for those who look from outside. */
export interface PipelineView {
  readonly counts: Omit<Activity, 'latestEnd'>;
  readonly handlerTimes: HandlerTimesSummary | undefined;
  /** The handlers that have run for longest. */
  readonly slowest: readonly RunningHandler[];
  readonly jams: readonly CurrentJam[];
  /** When the oldest unsettled update was accepted, by the system's clock, in milliseconds since 1970. */
  readonly oldestAtMs: number | undefined;
  /** When the running handlers have ended or were given up, at the latest, in the clock's milliseconds. */
  readonly runningUntil: number;
}

/** What is measured of a pipeline besides. */
export interface PipelineMeters {
  /** Handlers that were given up and still run. */
  readonly hung: number;
  /** How many calls of polling have failed, each try counted. */
  readonly pollFailures: Readonly<Record<FailureClass, number>>;
  /** For how long fetched updates have waited until Telegram is told to forget them; 0 if none wait. */
  readonly confirmLagMs: number;
  /** The size of what the inbox has written on disk; undefined where it keeps nothing there. */
  readonly inboxBytes: number | undefined;
}

/** The parts of a pipeline. */
export interface PipelineParts {
  readonly clock: Clock;
  /** Turns the times of the inbox into those of the system's clock. */
  readonly time: { bySystem(ms: number): number };
  readonly poller: {
    readonly latestEnd: number;
    readonly failures: PipelineMeters['pollFailures'];
    readonly confirmLagMs: number;
  };
  readonly inbox: Inbox<Update>;
  readonly dispatcher: Pick<Dispatcher<Entry<Update>>, 'running' | 'runningUntil' | 'counts' | 'latestEnd'>;
  readonly jamWatch: Pick<JamWatch<Entry<Update>>, 'jams'>;
}

/** How many of the handlers that have run for longest are shown. */
const SLOWEST = 5;

export class PipelineGauges {
  readonly #parts: PipelineParts;
  readonly #handlerTimes = new HandlerTimes();
  #end: PollingEnd | undefined;
  #report: InboxReport | undefined;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /** @param now when the handler ended, in the clock's milliseconds */
  handlerTimed(durationMs: number, now: number): void {
    this.#handlerTimes.add(durationMs, now);
  }

  pollingEnded(end: PollingEnd): void {
    this.#end = end;
  }

  inboxClosed(report: InboxReport): void {
    this.#report = report;
  }

  /** What may be under way, each with its latest end: Infinity where it is not. */
  get steps(): readonly CurrentStep[] {
    return [
      { name: 'polling', latestEnd: this.#parts.poller.latestEnd },
      { name: 'writing to the inbox', latestEnd: this.#parts.inbox.latestEnd },
      { name: 'handling updates', latestEnd: this.#parts.dispatcher.latestEnd },
    ];
  }

  get activity(): Activity {
    return { ...this.#current, latestEnd: Math.min(...this.steps.map(({ latestEnd }) => latestEnd)) };
  }

  get view(): PipelineView {
    const oldestAtMs = this.#parts.inbox.oldestAtMs?.();
    const slowest: RunningHandler[] = [];
    for (const { item, durationMs } of this.#parts.dispatcher.running()) {
      const { updateId, kind, key } = item;
      slowest.push({ updateId, kind, key, forMs: durationMs });
      if (slowest.length === SLOWEST) break;
    }
    return {
      counts: this.#current,
      handlerTimes: this.#handlerTimes.summary(this.#parts.clock.now()),
      slowest,
      jams: this.#parts.jamWatch.jams,
      oldestAtMs: oldestAtMs === undefined ? undefined : this.#parts.time.bySystem(oldestAtMs),
      runningUntil: this.#parts.dispatcher.runningUntil,
    };
  }

  get meters(): PipelineMeters {
    const { failures: pollFailures, confirmLagMs } = this.#parts.poller;
    const { bytes: inboxBytes } = this.#parts.inbox;
    return { hung: this.#parts.dispatcher.counts.hung, pollFailures, confirmLagMs, inboxBytes };
  }

  get #current(): PipelineView['counts'] {
    const { running } = this.#parts.dispatcher.counts;
    const { handled, caught, failed, timedOut, expired, putBack, waiting, dead } = this.#parts.inbox.counts;
    return { running, handled, caught, failed, timedOut, expired, putBack, waiting, dead };
  }

  /** The receipt's figures: what the run came to so far. */
  get counts(): ReceiptCounts {
    const { accepted, recovered, handled, caught, failed, timedOut, expired, dropped } =
      this.#parts.inbox.counts;
    const { putBack, deadDropped, waiting, taken, mayRepeat } = this.#parts.inbox.counts;
    const sentAgain = this.#parts.inbox.recognizesRepeats ? 0 : (this.#end?.unconfirmed ?? 0);
    return {
      fetched: accepted,
      recovered,
      handled,
      caught,
      failed,
      timedOut,
      expired,
      dropped,
      left: this.#report?.left ?? waiting + taken,
      mayRepeat: (this.#report?.mayRepeat.length ?? mayRepeat) + sentAgain,
      putBack,
      deadDropped,
      confirmedUpTo: this.#end?.confirmedUpTo,
    };
  }
}
