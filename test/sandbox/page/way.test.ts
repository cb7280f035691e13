import { describe, expect, it } from '@jest/globals';
import { stateInWords, stationsOf, stepsOf } from '../../../src/sandbox/page/way.js';
import type { UpdateRecord } from '../../../src/sandbox/state/update-record.js';

const waiting: UpdateRecord = {
  id: 7,
  kind: 'message',
  chat: 1,
  state: 'waiting',
  queuedAtMs: 1_000,
  deliveryCount: 0,
  deliveries: [],
  answerCount: 0,
  answers: [],
  json: '{}',
};
const delivered: UpdateRecord = {
  ...waiting,
  state: 'delivered',
  deliveryCount: 1,
  deliveries: [{ atMs: 1_005, call: 3, received: true }],
};
const confirmed: UpdateRecord = { ...delivered, state: 'confirmed', leftAtMs: 1_020, confirmedBy: 8 };
const answered: UpdateRecord = {
  ...confirmed,
  answerCount: 2,
  answers: [
    { atMs: 1_010, call: 4, method: 'sendChatAction' },
    { atMs: 1_250, call: 5, method: 'sendMessage' },
  ],
};
const lost: UpdateRecord = { ...delivered, deliveries: [{ atMs: 1_005, call: 3, received: false }] };

/** The stations as one text each. */
const shown = (update: UpdateRecord, nowMs = 3_000): readonly string[] =>
  stationsOf(update, nowMs).map(({ label, state, time, by }) =>
    [state, label, time, by].filter(Boolean).join(' '),
  );

describe('the way of an update', () => {
  it('shows where it is now, and for how long', () => {
    expect(shown(waiting)).toEqual([
      'current waiting 2.0 s',
      'ahead delivered',
      'ahead confirmed',
      'ahead answered',
    ]);
    expect(shown(delivered)).toEqual([
      'reached came',
      'reached delivered 5 ms poll 3',
      'ahead confirmed',
      'current no answer yet 2.0 s',
    ]);
    expect(shown(delivered, 99_000)[3]).toBe('ahead no answer');
  });

  it('ends with the answer, for which the sign of typing does not count', () => {
    expect(shown(answered)).toEqual([
      'reached came',
      'reached delivered 5 ms poll 3',
      'reached confirmed 20 ms by 8',
      'reached answered 250 ms sendMessage',
    ]);
    expect(stateInWords(answered)).toBe('confirmed · answered in 250 ms');
  });

  it('tells a delivery that nobody has heard, and those that came later', () => {
    expect(shown(lost)[1]).toBe('current lost on the way 5 ms poll 3');
    expect(stateInWords(lost)).toBe('lost on the way');
    const again = {
      ...lost,
      deliveryCount: 2,
      deliveries: [...lost.deliveries, { atMs: 2_000, call: 9, received: true }],
    };
    expect(shown(again)[1]).toBe('reached delivered ×2 1.0 s poll 9');
    expect(stateInWords(again)).toBe('delivered ×2');
  });

  it('ends for an update that has expired', () => {
    const expired: UpdateRecord = { ...waiting, state: 'expired', leftAtMs: 9_000 };
    expect(shown(expired)).toEqual(['reached came', 'failed expired', 'failed confirmed', 'ahead answered']);
    expect(stateInWords(expired)).toBe('expired');
  });

  it('has its steps in the order of time', () => {
    expect(stepsOf(answered).map(({ words, afterMs }) => `${afterMs} ${words}`)).toEqual([
      '0 came to the server',
      '5 delivered by poll 3',
      '10 taken up: sendChatAction, call 4',
      '20 confirmed by offset 8',
      '250 answered by sendMessage, call 5',
    ]);
    expect(stepsOf(lost).at(-1)?.words).toBe('delivered to poll 3, whose caller was gone');
    const rival = { ...delivered, deliveries: [{ atMs: 1_005, received: false }] };
    expect(stepsOf(rival).at(-1)?.words).toBe('delivered to a rival');
    expect(stepsOf({ ...answered, answerCount: 30 }).at(-1)?.words).toBe('and 28 more deliveries or answers');
  });
});
