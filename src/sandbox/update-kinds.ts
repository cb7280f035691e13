/**
 * The kinds of update the server knows: which are sent unless asked for otherwise, and how long each is kept.
 */

const DAY_MS = 86_400_000;

interface Kind {
  /** How long an update of this kind waits to be confirmed; a query that nobody answered in time is of no use later. */
  readonly keptMs: number;
  /** Sent only to a bot that names it in `allowed_updates`. */
  readonly onRequestOnly?: true;
}

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['message', { keptMs: DAY_MS }],
  ['edited_message', { keptMs: DAY_MS }],
  ['channel_post', { keptMs: DAY_MS }],
  ['edited_channel_post', { keptMs: DAY_MS }],
  ['business_connection', { keptMs: DAY_MS }],
  ['business_message', { keptMs: DAY_MS }],
  ['edited_business_message', { keptMs: DAY_MS }],
  ['deleted_business_messages', { keptMs: DAY_MS }],
  ['message_reaction', { keptMs: DAY_MS, onRequestOnly: true }],
  ['message_reaction_count', { keptMs: DAY_MS, onRequestOnly: true }],
  ['inline_query', { keptMs: 30_000 }],
  ['chosen_inline_result', { keptMs: 600_000 }],
  ['callback_query', { keptMs: 150_000 }],
  ['shipping_query', { keptMs: 150_000 }],
  ['pre_checkout_query', { keptMs: 150_000 }],
  ['purchased_paid_media', { keptMs: DAY_MS }],
  ['poll', { keptMs: DAY_MS }],
  ['poll_answer', { keptMs: DAY_MS }],
  ['my_chat_member', { keptMs: DAY_MS }],
  ['chat_member', { keptMs: DAY_MS, onRequestOnly: true }],
  ['chat_join_request', { keptMs: DAY_MS }],
  ['chat_boost', { keptMs: DAY_MS }],
  ['removed_chat_boost', { keptMs: DAY_MS }],
]);

/** How long the server keeps an unconfirmed update of this kind. */
export const keptMs = (kind: string): number => kinds.get(kind)?.keptMs ?? DAY_MS;

/** What a bot hears: what it once asked for, or (undefined) what every bot hears. */
export type AllowedUpdates = readonly string[] | undefined;

export function isAllowed(kind: string, allowed: AllowedUpdates): boolean {
  return allowed ? allowed.includes(kind) : !kinds.get(kind)?.onRequestOnly;
}

/**
 * Reads the parameter `allowed_updates`. `unchanged` when it is left out or is not a list of names: the server then
 * keeps what was asked before, perhaps by another program. A list that names nothing it knows means the default.
 */
export function parseAllowedUpdates(given: unknown): { readonly allowed: AllowedUpdates } | 'unchanged' {
  if (!Array.isArray(given)) return 'unchanged';
  const names: string[] = [];
  for (const item of given) {
    if (typeof item !== 'string') return 'unchanged';
    const name = item.toLowerCase();
    if (kinds.has(name)) names.push(name);
  }
  return { allowed: names.length === 0 ? undefined : names };
}
