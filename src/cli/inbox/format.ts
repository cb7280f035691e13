/**
 * Formats updates for people and programs. Strangers have written their contents, so characters that a terminal could take
 * for commands are escaped, and tokens are masked.
 */
import { type SeenUpdate, type UpdateState, updateStates } from '../../inbox/seen-update.js';
import { maskTokens } from '../../token.js';
import { count, durationInWords, firstFew } from '../../words.js';
import { columns } from '../columns.js';

/** How many characters of an error's first line are shown in a table. */
const MAX_WHY_LENGTH = 100;

/** Control characters, line and paragraph separators, and marks that change the direction of text. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Masks tokens and replaces unprintable characters by JSON escapes, so that JSON keeps its meaning. */
export const printable = (text: string): string =>
  maskTokens(text).replaceAll(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Formats a table of updates without their contents; an empty text if there are no updates. */
export function table(updates: Iterable<SeenUpdate>, nowMs: number): string {
  const listed = [...updates];
  const hasCuts = listed.some(({ cuts = 0 }) => cuts > 0);
  const headings = [
    'STATE',
    'UPDATE',
    'KIND',
    'CHAT',
    'AGE',
    'BEGUN',
    'DIED',
    ...(hasCuts ? ['CUT'] : []),
    'WHY',
  ];
  const rows = listed.map((update) => row(update, nowMs, hasCuts));
  return rows.length === 0 ? '' : columns([headings, ...rows]);
}

function row(update: SeenUpdate, nowMs: number, hasCuts: boolean): readonly string[] {
  const { state, updateId, kind, key, atMs, attempts, deaths = '', cuts = '' } = update;
  const reason = reasonOf(update, nowMs);
  const shown = reason.length > MAX_WHY_LENGTH ? `${reason.slice(0, MAX_WHY_LENGTH)}…` : reason;
  const age = durationInWords(Math.max(0, nowMs - atMs));
  return [
    state,
    `${updateId}`,
    printable(kind),
    printable(key),
    age,
    `${attempts}`,
    `${deaths}`,
    ...(hasCuts ? [`${cuts}`] : []),
    printable(shown),
  ];
}

/** Returns why a dead update was given up, or when one that was put back is tried again. */
function reasonOf({ why, error, notBeforeMs }: SeenUpdate, nowMs: number): string {
  if (notBeforeMs !== undefined)
    return notBeforeMs > nowMs ? `next try in ${wholeSeconds(notBeforeMs - nowMs)}` : 'next try now';
  const firstLine = error?.split('\n', 1)[0] ?? '';
  return why === undefined ? '' : firstLine === '' ? why : `${why}: ${firstLine}`;
}

const wholeSeconds = (ms: number): string => durationInWords(Math.ceil(ms / 1_000) * 1_000);

/** Formats counts, such as `2 running, 0 waiting, 1 dead`. Leaves out `interrupted` if there are none. */
export function countsInWords(counts: Readonly<Record<UpdateState, number>>): string {
  return updateStates
    .filter((state) => state !== 'interrupted' || counts.interrupted > 0)
    .map((state) => `${counts[state]} ${state}`)
    .join(', ');
}

/** Returns the fields of an update except its content. */
function fieldsOf({ seq, updateId, kind, key, state, attempts, ...update }: SeenUpdate): object {
  return {
    updateId,
    kind,
    key,
    state,
    at: new Date(update.atMs).toISOString(),
    attempts,
    deaths: update.deaths ?? null,
    cuts: update.cuts ?? null,
    nextTryAt: update.notBeforeMs === undefined ? null : new Date(update.notBeforeMs).toISOString(),
    why: update.why ?? null,
    error: update.error ?? null,
    seq,
  };
}

/** Formats an update without its content, as one line of JSON. */
export const asJson = (update: SeenUpdate): string => printable(JSON.stringify(fieldsOf(update)));

/** Formats an update with its content as JSON; returns undefined if the content has been removed meanwhile. */
export function asJsonWithContent(update: SeenUpdate, indent?: number): string | undefined {
  const text = update.text();
  if (!text) return undefined;
  const content: unknown = JSON.parse(text.toString());
  const lines = JSON.stringify({ ...fieldsOf(update), update: content }, undefined, indent).split('\n');
  return lines.map(printable).join('\n');
}

const verbs = {
  retry: { requested: 'retry', done: 'retrying' },
  drop: { requested: 'drop', done: 'dropped' },
} as const;

/** Formats an action, such as `retry 2 updates: 1, 2`. Names only the first few ids. */
export function actionInWords(
  action: keyof typeof verbs,
  tense: 'requested' | 'done',
  ids: readonly number[],
): string {
  return `${verbs[action][tense]} ${count(ids.length, 'update')}: ${firstFew(ids)}`;
}
