import { expect, it } from '@jest/globals';
import { Pauses } from '../../src/dispatch/pauses.js';
import { RunningTasks } from '../../src/dispatch/running-tasks.js';
import { Task } from '../../src/dispatch/task.js';
import { FakeClock } from '../support/fake-clock.js';

const TIMEOUT_MS = 50;
const GRACE_MS = 20;

function setUp() {
  const clock = new FakeClock();
  const log: string[] = [];
  const tasks = new RunningTasks<string>({
    clock,
    handlerTimeoutMs: TIMEOUT_MS,
    graceMs: GRACE_MS,
    timedOut: ({ item }) => log.push(`${item} timed out`),
    givenUp: ({ item }) => log.push(`${item} given up`),
  });
  const add = (item: string) => {
    const decide = () => ({ does: 'give up', why: 'failed' }) as const;
    const task = new Task(item, clock.now(), decide, new Pauses(clock));
    tasks.add(task, clock.now());
    return task;
  };
  const items = () => Array.from(tasks.items(), ({ item }) => item);
  return { clock, log, tasks, add, items };
}

it('a task that ends in time leaves nothing behind', async () => {
  const { clock, log, tasks, add } = setUp();
  const task = add('a');
  expect(tasks).toMatchObject({ size: 1, hung: 0, nextTimeout: TIMEOUT_MS, endedBy: TIMEOUT_MS + GRACE_MS });
  expect(tasks.end(task)).toBe(true);
  expect(tasks).toMatchObject({ size: 0, nextTimeout: Infinity, endedBy: -Infinity });
  await clock.advance(1_000);
  expect(log).toEqual([]);
});

it('a task keeps its slot in its grace, and gives it back when that is over', async () => {
  const { clock, log, tasks, add, items } = setUp();
  const first = add('a');
  await clock.advance(TIMEOUT_MS);
  add('b');
  expect(log).toEqual(['a timed out']);
  expect(items()).toEqual(['a', 'b']);
  expect(tasks).toMatchObject({ size: 2, hung: 0, nextTimeout: TIMEOUT_MS + GRACE_MS });
  await clock.advance(GRACE_MS);
  expect(log).toEqual(['a timed out', 'a given up']);
  expect(items()).toEqual(['b']);
  expect(tasks).toMatchObject({ size: 1, hung: 1 });
  expect(tasks.end(first)).toBe(false);
  expect(tasks.hung).toBe(0);
});

it('forgets the tasks that take a slot', async () => {
  const { clock, log, tasks, add } = setUp();
  const task = add('a');
  tasks.clear();
  await clock.advance(1_000);
  expect(log).toEqual([]);
  expect(tasks.size).toBe(0);
  expect(tasks.end(task)).toBe(false);
});
