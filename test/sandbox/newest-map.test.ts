import { expect, it } from '@jest/globals';
import { NewestMap } from '../../src/sandbox/newest-map.js';

it('keeps the newest entries, oldest first', () => {
  const map = new NewestMap<number, string>(3);
  for (let key = 1; key <= 8; key++) map.set(key, `value ${key}`);
  expect(map.values()).toEqual(['value 4', 'value 5', 'value 6', 'value 7', 'value 8']);
  expect([map.get(3), map.get(4), map.get(8)]).toEqual([undefined, 'value 4', 'value 8']);
  map.set(5, 'again');
  expect(map.values()).toEqual(['value 7', 'value 8', 'again']);
});
