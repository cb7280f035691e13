import { expect, it } from '@jest/globals';
import { StallWatch } from '../../src/observe/stall-watch.js';
import { FakeClock } from '../support/fake-clock.js';

/** A watch over one step, whose latest end the test sets. */
function watching() {
  const clock = new FakeClock();
  const step = { name: 'writing', latestEnd: Number.POSITIVE_INFINITY };
  const told: unknown[][] = [];
  const watch = new StallWatch({ clock, steps: () => [{ ...step }], stalled: (...args) => told.push(args) });
  watch.start();
  return { clock, step, told, watch };
}

it('tells once of a step that is past its latest end at two looks', async () => {
  const { clock, step, told } = watching();
  step.latestEnd = 60_000;
  await clock.advance(69_000);
  expect(told).toEqual([]);
  await clock.advance(600_000);
  expect(told).toEqual([[step, 10_000]]);
});

it('tells nothing of a step that ends late, but ends', async () => {
  const { clock, step, told } = watching();
  step.latestEnd = 60_000;
  await clock.advance(66_000);
  step.latestEnd = Number.POSITIVE_INFINITY;
  await clock.advance(600_000);
  expect(told).toEqual([]);
});

it('tells nothing of steps that follow each other, each late for a moment', async () => {
  const { clock, step, told } = watching();
  for (let at = 4_999; at < 600_000; at += 5_000) {
    step.latestEnd = at;
    await clock.advance(5_000);
  }
  expect(told).toEqual([]);
});

it('gives a minute to what should have gone on by itself, without a latest end', async () => {
  const { clock, step, told } = watching();
  step.latestEnd = Number.NEGATIVE_INFINITY;
  await clock.advance(64_999);
  expect(told).toEqual([]);
  step.latestEnd = Number.POSITIVE_INFINITY;
  await clock.advance(5_000);
  step.latestEnd = Number.NEGATIVE_INFINITY;
  await clock.advance(600_000);
  expect(told).toEqual([[step, 60_000]]);
});

it('tells nothing once it is stopped', async () => {
  const { clock, step, told, watch } = watching();
  step.latestEnd = 60_000;
  watch.stop();
  await clock.advance(600_000);
  expect(told).toEqual([]);
});
