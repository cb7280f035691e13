/**
 * Runs the test files that measure no times side by side, and then those that do one at a time, so that nothing beside them
 * takes their processor. Many of the former mostly wait, so there may be more of them than processors. `--runInBand` runs
 * all of them one at a time.
 */
import TestRunner from 'jest-runner';

/** Those of processes and supervisors that mostly wait, and whose bounds are wide. All others of these run alone. */
const waiting = new RegExp(
  '/process/(commands|cuts|dead-letters|delivery-(order|random)|embedding|handler-exit|jammed|load|module|outage|package|' +
    'poison|programs-|scripts|settings|status|stood-still|telegraf-versions|watchers)|/supervisor/systemd-units',
);
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
