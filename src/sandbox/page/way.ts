/** The way of an update in the order of time, and where it is now. Knows nothing of the page. */
import type { UpdateRecord } from '../state/update-record.js';
import { duration, plural } from './words.js';

export interface Step {
  readonly name: 'waiting' | 'delivered' | 'confirmed' | 'answered' | 'expired' | 'dropped';
  readonly words: string;
  /** Milliseconds since the update came. */
  readonly afterMs: number;
}

/** Whether a call answers a person: showing that the bot types does not. */
const isAnswer = ({ method }: { readonly method: string }): boolean =>
  method.toLowerCase() !== 'sendchataction';

/** The calls that answer an update, as far as they are known, and the number of all of them. */
export function answersOf({ answers, answerCount }: UpdateRecord) {
  const known = answers.filter(isAnswer);
  return { first: known[0], count: answerCount - (answers.length - known.length) };
}

type Delivery = UpdateRecord['deliveries'][number];

/**
 * Whether the bot has heard a delivery. The server cannot know that a caller is gone, and sends updates all the same, as
 * Telegram does.
 */
const isHeard = ({ received, call }: Delivery): boolean => received && call !== undefined;

/** Returns all steps, the earliest first. */
export function stepsOf(update: UpdateRecord): readonly Step[] {
  const { queuedAtMs, deliveries, deliveryCount, answers, answerCount, state, leftAtMs, confirmedBy } =
    update;
  const after = (atMs: number) => Math.max(0, atMs - queuedAtMs);
  const steps: Step[] = [
    { name: 'waiting', words: 'came to the server', afterMs: 0 },
    ...deliveries.map(({ atMs, call, received }, index) => ({
      name: 'delivered' as const,
      words: `${index > 0 ? 'delivered again' : 'delivered'} ${
        call === undefined
          ? 'to a rival'
          : received
            ? `by poll ${call}`
            : `to poll ${call}, whose caller was gone`
      }`,
      afterMs: after(atMs),
    })),
    ...answers.map(({ atMs, call, method }) => ({
      name: 'answered' as const,
      words: isAnswer({ method })
        ? `answered by ${method}, call ${call}`
        : `taken up: ${method}, call ${call}`,
      afterMs: after(atMs),
    })),
  ];
  if (leftAtMs !== undefined && state !== 'waiting' && state !== 'delivered')
    steps.push({
      name: state,
      words:
        state === 'confirmed'
          ? `confirmed by offset ${confirmedBy}`
          : state === 'expired'
            ? 'expired: nobody confirmed it in time'
            : 'dropped from the queue',
      afterMs: after(leftAtMs),
    });
  const hidden = deliveryCount - deliveries.length + (answerCount - answers.length);
  const sorted = steps.sort((one, other) => one.afterMs - other.afterMs);
  const last = sorted.at(-1);
  if (hidden > 0 && last)
    sorted.push({
      name: last.name,
      words: `and ${plural(hidden, 'more delivery or answer', 'more deliveries or answers')}`,
      afterMs: last.afterMs,
    });
  return sorted;
}

export interface Station {
  readonly name: 'waiting' | 'delivered' | 'confirmed' | 'answered';
  readonly label: string;
  /** `current` goes on now; `failed` can no longer be reached. */
  readonly state: 'reached' | 'current' | 'ahead' | 'failed';
  /** The time below the label. */
  readonly time: string;
  /** What has brought the update here, below the time. */
  readonly by: string;
}

/** So long after its delivery, the answer to an update is expected. */
const EXPECTED_WITHIN_MS = 60_000;

/** The four stations of an update's way, as the list of updates shows them. */
export const stationsOf = (update: UpdateRecord, nowMs: number): readonly Station[] => [
  waitingStation(update, nowMs),
  deliveredStation(update),
  confirmedStation(update),
  answeredStation(update, nowMs),
];

const isGone = ({ state }: UpdateRecord): boolean => state === 'expired' || state === 'dropped';
const since = ({ queuedAtMs }: UpdateRecord, atMs: number): string =>
  duration(Math.max(0, atMs - queuedAtMs));
const times = (count: number): string => (count > 1 ? ` ×${count}` : '');

function waitingStation(update: UpdateRecord, nowMs: number): Station {
  if (update.state === 'waiting')
    return { name: 'waiting', label: 'waiting', state: 'current', time: since(update, nowMs), by: '' };
  return { name: 'waiting', label: 'came', state: 'reached', time: '', by: '' };
}

function deliveredStation(update: UpdateRecord): Station {
  const { state, deliveries, deliveryCount } = update;
  const shown = deliveries.find(isHeard) ?? deliveries.at(-1);
  if (!shown)
    return isGone(update)
      ? { name: 'delivered', label: state, state: 'failed', time: '', by: '' }
      : { name: 'delivered', label: 'delivered', state: 'ahead', time: '', by: '' };
  const isOpen = !isHeard(shown) && state === 'delivered';
  return {
    name: 'delivered',
    label: `${deliveryLabel(shown)}${times(deliveryCount)}`,
    state: isOpen ? 'current' : 'reached',
    time: since(update, shown.atMs),
    by: shown.call === undefined ? 'to a rival' : `poll ${shown.call}`,
  };
}

const deliveryLabel = (delivery: Delivery): string =>
  isHeard(delivery) || delivery.call === undefined ? 'delivered' : 'lost on the way';

function confirmedStation(update: UpdateRecord): Station {
  const { state, deliveries, leftAtMs, confirmedBy } = update;
  if (state === 'confirmed' && leftAtMs !== undefined)
    return {
      name: 'confirmed',
      label: state,
      state: 'reached',
      time: since(update, leftAtMs),
      by: `by ${confirmedBy}`,
    };
  return isGone(update) && deliveries.length > 0
    ? { name: 'confirmed', label: state, state: 'failed', time: '', by: '' }
    : { name: 'confirmed', label: 'confirmed', state: isGone(update) ? 'failed' : 'ahead', time: '', by: '' };
}

function answeredStation(update: UpdateRecord, nowMs: number): Station {
  const { first: answer, count } = answersOf(update);
  if (answer) {
    const { atMs, method } = answer;
    return {
      name: 'answered',
      label: `answered${times(count)}`,
      state: 'reached',
      time: since(update, atMs),
      by: method,
    };
  }
  const heard = update.deliveries.find(isHeard);
  if (!heard || isGone(update))
    return { name: 'answered', label: 'answered', state: 'ahead', time: '', by: '' };
  const ageMs = Math.max(0, nowMs - heard.atMs);
  // Many updates need no answer, and nobody tells when the bot is done with one.
  if (ageMs > EXPECTED_WITHIN_MS)
    return { name: 'answered', label: 'no answer', state: 'ahead', time: '', by: '' };
  return { name: 'answered', label: 'no answer yet', state: 'current', time: duration(ageMs), by: '' };
}

/** The state of an update in a few words, as below the message. */
export function stateInWords(update: UpdateRecord): string {
  const { state, deliveries, deliveryCount, queuedAtMs } = update;
  const last = deliveries.find(isHeard) ?? deliveries.at(-1);
  const delivered = `${last ? deliveryLabel(last) : 'delivered'}${times(deliveryCount)}`;
  const again = deliveryCount > 1 ? `, ${delivered}` : '';
  const where = state === 'delivered' ? delivered : state === 'confirmed' ? `confirmed${again}` : state;
  const { first: answer } = answersOf(update);
  return answer ? `${where} · answered in ${duration(answer.atMs - queuedAtMs)}` : where;
}
