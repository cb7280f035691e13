/** Faults in words. Knows nothing of the page. */
import type { FaultKindView, FaultView } from '../page-protocol.js';
import { duration, plural } from './words.js';

/** Names for people, in the order in which they are shown. A kind without one has its own name, and comes last. */
const names: Readonly<Record<string, string>> = {
  reset: 'Down',
  refuse: 'Refusing connections',
  latency: 'Slow',
  'half-open': 'Half-open',
  'too-many-requests': '429 Too Many Requests',
  html: '502 from a proxy',
  truncated: 'Answers cut off',
  'invalid-json': 'Broken JSON',
  error: 'Server errors',
  revoked: 'Token revoked',
  rival: 'A rival polls',
  assorted: 'A bit of everything',
};

/** What a kind does, where the page says it in other words than the control API. */
const notes: Readonly<Record<string, string>> = {
  reset: 'Every connection is reset, with no answer.',
  refuse: 'Nothing listens. Only time ends it: nobody can reach the server meanwhile.',
  latency: 'Each call takes longer.',
  'half-open': 'Connections stay open, and nothing comes on them.',
  'too-many-requests': 'The bot calls too often, and is told when to come again.',
  html: 'A proxy in between answers with its own page.',
  truncated: 'The call is executed; its answer ends in the middle.',
  'invalid-json': 'The call is executed; its answer is no JSON.',
  error: 'The server fails, and says so in JSON.',
  revoked: 'Every call gets a 401.',
  rival: 'A second program polls with the same token.',
  assorted: 'Each call fails in another way, by chance.',
};

export const nameOf = (kind: string): string => names[kind] ?? kind;

/** Returns the kinds in the order in which they are shown. */
export function inOrder(kinds: readonly FaultKindView[]): readonly FaultKindView[] {
  const order = Object.keys(names);
  const rank = ({ kind }: FaultKindView) => (order.includes(kind) ? order.indexOf(kind) : order.length);
  return [...kinds].sort((one, other) => rank(one) - rank(other));
}

/** What a kind does. */
export const noteOf = ({ kind, help }: FaultKindView): string => notes[kind] ?? help;

/** How much a fault does, and how long it still lasts. */
export function faultInWords({ hits, endsAtMs, rule }: FaultView, nowMs: number): string {
  const share =
    typeof rule['fraction'] === 'number' ? `${Math.round(rule['fraction'] * 100)} % of calls` : undefined;
  const hit = rule.kind === 'refuse' || rule.kind === 'rival' ? undefined : `${plural(hits, 'call')} hit`;
  const left =
    endsAtMs === undefined
      ? undefined
      : `ends in ${duration(Math.max(0, Math.ceil((endsAtMs - nowMs) / 1_000) * 1_000))}`;
  const { ms, status, retryAfterSeconds } = rule;
  const much =
    typeof ms === 'number'
      ? `by ${duration(ms)}`
      : retryAfterSeconds !== undefined
        ? `retry after ${retryAfterSeconds} s`
        : status !== undefined
          ? `status ${status}`
          : undefined;
  return [much, hit, share, left].filter((words) => words !== undefined).join(' · ') || 'in force';
}
