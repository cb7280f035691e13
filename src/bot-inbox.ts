/** Makes the inbox of a bot, of the kind that the settings name. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Update } from 'telegraf/types';
import type { Clock } from './clock.js';
import { type InboxSetting, isPostgresUrl } from './config/inbox-setting.js';
import { LastcallError } from './errors.js';
import { currentPlace } from './host/place.js';
import type { InboxEvent } from './inbox/events.js';
import type { Inbox } from './inbox/inbox.js';
import { JournalInbox } from './inbox/journal/journal-inbox.js';
import type { Disk } from './inbox/log/disk.js';
import { MemoryInbox } from './inbox/memory/memory-inbox.js';
import type { createSharedInbox, SharedInbox } from './shared-inbox.js';
import type { HttpBotApi } from './telegraf/bot-api/bot-api.js';
import { restoreUpdate } from './telegraf/bot-api/results.js';
import { albumOf, type Order, type OrderKeyFunction, orderKey, updateKind } from './telegraf/order-key.js';

export interface InboxSettings {
  readonly inbox: InboxSetting;
  /** The folder that has one folder a bot in it; undefined where there is no place for one. */
  readonly stateDir: string | undefined;
  readonly durability: 'power' | 'process';
  readonly maxAttempts: number;
  readonly deadLimit: number;
  readonly deadAgeMs: number;
  readonly inboxLimit: number;
  readonly order: Order;
  readonly concurrency: number;
}

export interface BotInboxOptions {
  /** The bot's name for all that is kept of it on this host. */
  readonly key: string;
  readonly settings: InboxSettings;
  /** The bot's own rule of order, which takes precedence over the setting. Must not throw. */
  readonly ownOrderKey?: OrderKeyFunction;
  readonly clock: Clock;
  /** The time of day, as the bot's server tells it. */
  readonly time: HttpBotApi['time'];
  /** Puts an error into words, without anything secret: they are kept with the updates that failed. */
  errorText(error: unknown): string;
  emit(event: InboxEvent): void;
  /** Called when there may be an update to take. */
  readonly available: () => void;
}

/** What an inbox of one process alone needs besides. */
export interface OwnInboxOptions {
  /** Returns the body in which a batch was received, or undefined for any other array. */
  readonly received: HttpBotApi['received'];
  /** Called with the milliseconds that a write took to become safe on disk. Must not throw. */
  readonly commitTimed: ((durationMs: number) => void) | undefined;
  /** Where the journal keeps its files; the file system, unless a test gives another. */
  readonly disk: Disk | undefined;
}

/** Makes the inbox that processes share; none where the settings name no database. */
export function shareInbox(
  options: BotInboxOptions,
  create: typeof createSharedInbox | undefined,
): SharedInbox | undefined {
  const { key, settings, errorText, emit } = options;
  if (!isPostgresUrl(settings.inbox)) return undefined;
  return create?.(settings.inbox, {
    ...commonOptions(options),
    ...{ bot: key, restore: restoreUpdate, errorText, emit },
    ...limitsOf(settings),
  });
}

/** @throws LastcallError INBOX_UNAVAILABLE when there is no place for the inbox */
export function createInbox(options: BotInboxOptions, own: OwnInboxOptions): Inbox<Update> {
  const { key, settings, time, errorText, emit } = options;
  const { inbox, stateDir, durability } = settings;
  const { received, commitTimed, disk } = own;
  if (inbox === 'memory') return new MemoryInbox<Update>(commonOptions(options));
  if (stateDir === undefined)
    throw new LastcallError(
      'INBOX_UNAVAILABLE',
      'STATE_DIR',
      'there is no place for the inbox: no STATE_DIR, and no home directory',
    );
  return new JournalInbox<Update>({
    ...commonOptions(options),
    ...{ bot: key, restore: restoreUpdate, errorText, emit },
    ...limitsOf(settings),
    folder: join(stateDir, key, 'inbox'),
    durability,
    isTimeChecked: () => time.isChecked,
    holder: { place: currentPlace(), id: randomUUID() },
    received,
    ...(commitTimed && { commitTimed }),
    ...(disk && { disk }),
  });
}

/** What every inbox is built with. */
function commonOptions({ settings, ownOrderKey, clock, time, available }: BotInboxOptions) {
  const keyOf = (update: Update) => ownOrderKey?.(update) ?? orderKey(update, settings.order);
  return { keyOf, groupOf: albumOf, kindOf: updateKind, clock, now: () => time.now(), available };
}

/** How much an inbox keeps, and for how long. */
function limitsOf({ maxAttempts, deadLimit, deadAgeMs, concurrency, inboxLimit }: InboxSettings) {
  const deadLetterLimits = { number: deadLimit, ageMs: deadAgeMs };
  return { maxAttempts, deadLetterLimits, concurrency, limit: inboxLimit };
}
