/** Makes the pipeline of a launched bot, and tells which of its events are faults that end the run. */
import type { Clock } from './clock.js';
import { LastcallError } from './errors.js';
import type { BotIdentity } from './host/bot-key.js';
import type { RunRecorder } from './host/run-recorder.js';
import {
  Pipeline,
  type PipelineEvent,
  type PipelineOptions,
  type PipelineSettings,
  type Stopwatch,
} from './pipeline.js';
import type { Launch } from './telegraf/launch.js';
import type { OrderKeyFunction } from './telegraf/order-key.js';

/** What the run gives to the pipelines of all its bots. */
export interface LaunchPipelineOptions {
  readonly settings: PipelineSettings;
  readonly clock: Clock;
  /** Returns what makes the inbox that processes share, where there is one. */
  createSharedInbox?(): PipelineOptions['createSharedInbox'];
  /** What is kept of earlier runs. */
  readonly history: Pick<RunRecorder, 'hasPolled' | 'inboxOpened' | 'polled'>;
  /** Called with each agent of a bot's before polling first uses it. Must not throw. */
  agentUsed?(agent: object): void;
  /** Puts an error into words, without anything secret. */
  errorText(error: unknown): string;
  /** Tells what happens to the bot with this id. */
  emit(event: PipelineEvent, botId: number): void;
  /** Is told how long the handlers of the bot with this id took, and the syncs of its inbox, if it is given. */
  stopwatchOf?(botId: number): Stopwatch | undefined;
  /** Called with the error for which the run has to end. */
  failed(error: LastcallError): void;
}

/** A launched bot, as its lock names it. */
export interface IdentifiedLaunch {
  readonly launch: Launch;
  readonly identity: BotIdentity;
  /** Names the bot's lock and its folder: of the identity at the launch, also where the program changes the bot later. */
  readonly key: string;
}

/**
 * @param ownOrderKey the bot's own rule of order; must not throw
 * @param connected called when Telegram has told who the bot is
 * @throws LastcallError INBOX_UNAVAILABLE if the bot's inbox has no place
 */
export function pipelineOf(
  { launch, identity: { botId }, key }: IdentifiedLaunch,
  ownOrderKey: OrderKeyFunction | undefined,
  connected: () => void,
  options: LaunchPipelineOptions,
): Pipeline {
  const { settings, clock, history, emit, agentUsed, createSharedInbox, errorText, failed } = options;
  return new Pipeline({
    bot: launch.bot,
    handlerScope: launch.handlerScope,
    ...(launch.pollThrough && { pollThrough: launch.pollThrough.bind(launch) }),
    key,
    hasPolledBefore: () => history.hasPolled(key),
    settings: {
      ...settings,
      allowedUpdates: launch.allowedUpdates ?? settings.allowedUpdates,
      dropPending: launch.dropPendingUpdates || settings.dropPending,
    },
    ...(ownOrderKey && { ownOrderKey }),
    clock,
    ...(agentUsed && { agentUsed }),
    createSharedInbox: createSharedInbox?.(),
    stopwatch: options.stopwatchOf?.(botId),
    errorText,
    connected: (me) => {
      connected();
      launch.connected(me);
    },
    emit: (event) => {
      emit(event, botId);
      if (event.event === 'inbox.opened') history.inboxOpened(key);
      else if (event.event === 'poll.started') history.polled(key);
      const fault = faultIn(event);
      if (fault) failed(fault);
    },
  });
}

/** The error by which an event of dispatcher or inbox ends the run; undefined for all other events. */
function faultIn(event: PipelineEvent): LastcallError | undefined {
  switch (event.event) {
    case 'dispatch.exhausted':
      return new LastcallError(
        'HANDLERS_EXHAUSTED',
        'handlers',
        `${event.hung} handlers have timed out and still run; CONCURRENCY allows ${event.concurrency}`,
      );
    case 'dispatch.fault':
      return new LastcallError('INTERNAL', 'inbox', `update ${event.item.updateId} could not be settled`, {
        cause: event.error,
      });
    case 'inbox.failed':
      return event.error;
    default:
      return undefined;
  }
}
