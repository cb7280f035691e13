import { expect, it } from '@jest/globals';
import { exitCodeOf } from '../../../src/cli/demo/one-host.js';

it.each([
  [{ code: 0, signal: null }, 0],
  [{ code: 1, signal: null }, 1],
  // The process did not hear signals yet when the demo was stopped.
  [{ code: null, signal: 'SIGINT' }, 0],
  [{ code: null, signal: 'SIGKILL' }, 70],
  [{ code: null, signal: null }, 70],
])('ends with the exit code of the bot: %j', (end, exitCode) => {
  expect(exitCodeOf({ atMs: 0, ...end })).toBe(exitCode);
});
