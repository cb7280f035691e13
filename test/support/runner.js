/**
 * Runs the test files that measure no times side by side, and then those that do one at a time, so that nothing beside them
 * takes their processor. `--runInBand` runs all of them one at a time.
 */
import TestRunner from 'jest-runner';

/** Process tests that mostly wait, and whose bounds are wide. All others in these two folders run alone. */
const waiting =
  /\/process\/(commands|cuts|dead-letters|delivery-(order|random)|jammed|outage|package|poison|programs-|scripts|stood-still|telegraf-versions)/;
const isTimed = ({ path }) => /\/test\/(process|supervisor)\//.test(path) && !waiting.test(path);

export default class extends TestRunner {
  async runTests(tests, watcher, options) {
    await super.runTests(
      tests.filter((test) => !isTimed(test)),
      watcher,
      options,
    );
    await super.runTests(tests.filter(isTimed), watcher, { ...options, serial: true });
  }
}
