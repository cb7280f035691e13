import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { isPoolThreadBlocked } from '../../src/host/pool-threads.js';

let tasks: string;
beforeEach(() => {
  tasks = mkdtempSync(join(tmpdir(), 'lastcall-tasks-'));
});
afterEach(() => rmSync(tasks, { recursive: true }));

let threads = 0;
/** A thread as `/proc` shows it: its name, and where in the kernel it waits. */
function thread(comm: string, wchan: string): void {
  const folder = join(tasks, `${++threads}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'comm'), `${comm}\n`);
  writeFileSync(join(folder, 'wchan'), wchan);
}

it('tells threads of the pool that wait for a file or the network from all others', () => {
  thread('node', 'do_epoll_wait');
  for (const place of ['futex_do_wait', 'futex_wait_queue_me', '0']) thread('libuv-worker', place);
  expect(isPoolThreadBlocked(tasks)).toBe(false);
  thread('libuv-worker', 'wait_for_partner');
  expect(isPoolThreadBlocked(tasks)).toBe(true);
});

it('knows of none where the kernel tells nothing', () => {
  expect(isPoolThreadBlocked(join(tasks, 'none'))).toBe(false);
});
