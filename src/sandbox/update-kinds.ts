/** The kinds of updates: which ones a bot gets by default, and how long the server keeps each. */

const DAY_MS = 86_400_000;

interface Kind {
  /** How long an unconfirmed update is kept. Queries expire soon, because late answers to them are refused. */
  readonly retentionMs: number;
  /** Whether a bot must name the kind in `allowed_updates` to get its updates. */
  readonly onRequestOnly?: true;
}

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['message', { retentionMs: DAY_MS }],
  ['edited_message', { retentionMs: DAY_MS }],
  ['channel_post', { retentionMs: DAY_MS }],
  ['edited_channel_post', { retentionMs: DAY_MS }],
  ['business_connection', { retentionMs: DAY_MS }],
  ['business_message', { retentionMs: DAY_MS }],
  ['edited_business_message', { retentionMs: DAY_MS }],
  ['deleted_business_messages', { retentionMs: DAY_MS }],
  ['guest_message', { retentionMs: DAY_MS }],
  ['stopped_message_generation', { retentionMs: DAY_MS }],
  ['message_reaction', { retentionMs: DAY_MS, onRequestOnly: true }],
  ['message_reaction_count', { retentionMs: DAY_MS, onRequestOnly: true }],
  ['inline_query', { retentionMs: 30_000 }],
  ['chosen_inline_result', { retentionMs: 600_000 }],
  ['callback_query', { retentionMs: 150_000 }],
  ['shipping_query', { retentionMs: 150_000 }],
  ['pre_checkout_query', { retentionMs: 150_000 }],
  ['purchased_paid_media', { retentionMs: DAY_MS }],
  ['poll', { retentionMs: DAY_MS }],
  ['poll_answer', { retentionMs: DAY_MS }],
  ['my_chat_member', { retentionMs: DAY_MS }],
  ['chat_member', { retentionMs: DAY_MS, onRequestOnly: true }],
  ['chat_join_request', { retentionMs: DAY_MS }],
  ['chat_boost', { retentionMs: DAY_MS }],
  ['removed_chat_boost', { retentionMs: DAY_MS }],
  ['managed_bot', { retentionMs: DAY_MS }],
  ['subscription', { retentionMs: DAY_MS }],
]);

/** The names of all kinds. */
export const updateKinds: readonly string[] = [...kinds.keys()];

/** How long the server keeps an unconfirmed update of a kind. */
export const retentionMs = (kind: string): number => kinds.get(kind)?.retentionMs ?? DAY_MS;

/** The kinds of updates that a bot gets; undefined for the default kinds. */
export type AllowedUpdates = readonly string[] | undefined;

export function isAllowed(kind: string, allowed: AllowedUpdates): boolean {
  return allowed ? allowed.includes(kind) : !kinds.get(kind)?.onRequestOnly;
}

/**
 * Parses the parameter `allowed_updates`. Returns `unchanged` if it is missing or not a list of names: the server then
 * keeps the previous value, even if another program has set it. A list without any known name means the default.
 */
export function parseAllowedUpdates(given: unknown): { readonly allowed: AllowedUpdates } | 'unchanged' {
  if (!Array.isArray(given) || !given.every((item) => typeof item === 'string')) return 'unchanged';
  const names = given.map((name) => name.toLowerCase()).filter((name) => kinds.has(name));
  return { allowed: names.length === 0 ? undefined : names };
}
