import { describe, expect, it } from '@jest/globals';
import { asMe, asUpdates, asWebhookInfo, restoreUpdate } from '../../../src/telegraf/bot-api/results.js';

describe('the result of getUpdates', () => {
  it('is a list of updates, of whatever kind', () => {
    const updates = [{ update_id: 7, message: {} }, { update_id: 8 }];
    expect(asUpdates(updates)).toBe(updates);
    expect(asUpdates([])).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['an object', {}],
    ['nothing', undefined],
    ['a list of numbers', [7]],
    ['an update without an id', [{ update_id: 1 }, { message: {} }]],
    ['an update with an id that is not an integer', [{ update_id: '1' }]],
  ])('is not %s', (_, result) => {
    expect(asUpdates(result)).toBeUndefined();
  });
});

describe('the results of the other methods', () => {
  it('have the fields that are needed', () => {
    expect(asMe({ id: 1, username: 'bot', is_bot: true })).toMatchObject({ id: 1, username: 'bot' });
    expect(asMe({ id: 1, first_name: 'Ada', is_bot: false })).toMatchObject({ id: 1, first_name: 'Ada' });
    expect(asWebhookInfo({ url: '', pending_update_count: 3 })).toEqual({ url: '', pendingUpdateCount: 3 });
  });

  it.each<unknown>([undefined, null, [], {}, { id: 'x' }, { id: 1, username: 7 }, { url: '' }])(
    'are not %j',
    (result) => {
      expect(asMe(result)).toBeUndefined();
      expect(asWebhookInfo(result)).toBeUndefined();
    },
  );
});

describe('a stored update', () => {
  it('is restored as it was', () => {
    const update = { update_id: 7, message: { text: 'hello' } };
    expect(restoreUpdate(update)).toBe(update);
  });

  it.each<unknown>([undefined, null, [], 7, { message: {} }, { update_id: '7' }])(
    'is never %j',
    (content) => {
      expect(() => restoreUpdate(content)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    },
  );
});
