import { expect, it } from '@jest/globals';
import { Queries } from '../../../src/sandbox/state/queries.js';
import { FakeClock } from '../../support/fake-clock.js';

it('keeps only the newest of the queries that are answered or too old', async () => {
  const clock = new FakeClock();
  const queries = new Queries(clock);
  for (let number = 0; number < 5_000; number++) queries.add({ id: `old${number}`, kind: 'inline_query' });
  await clock.advance(30_001);
  for (let number = 0; number < 20_000; number++) {
    queries.add({ id: `${number}`, kind: 'callback_query' });
    expect(queries.answer('callback_query', `${number}`, {})).toMatchObject({ id: `${number}` });
  }
  queries.add({ id: 'newest', kind: 'callback_query' });
  // Too old ones are looked for only at times, and so there may be some more of them.
  expect(queries.list().length).toBeLessThan(8_000);
  expect(queries.list().at(-1)).toMatchObject({ id: 'newest' });
  expect(queries.find('callback_query', '19999')).toMatchObject({ answer: {} });
  expect(queries.find('callback_query', '0')).toBeUndefined();

  for (let number = 0; number < 10_000; number++) queries.add({ id: `new${number}`, kind: 'callback_query' });
  expect(queries.list().length).toBeLessThan(10_001 + 2_000);
  expect(queries.answer('callback_query', 'newest', {})).toBeDefined();
  expect(queries.answer('inline_query', 'old4999', {})).toBeUndefined();
});
