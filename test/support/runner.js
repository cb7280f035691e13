/**
 * Runs the test files that measure no times side by side, then, two at a time, those whose bounds are seconds, and then those
 * that measure shorter times one at a time, so that nothing beside them takes their processor. Many of the first mostly wait,
 * so there may be more of them than processors. `--runInBand` runs all of them one at a time.
 */
import TestRunner from 'jest-runner';

/** Those of processes and supervisors that mostly wait, and whose bounds are wide. All others of these run alone. */
const waiting = new RegExp(
  '/process/(both-inboxes|commands|container|cuts|database-refused|dead-letters|demo-hosts|delivery-(network|order|random)|' +
    'embedding|handler-exit|hosts-(crash|poison|standby)|inbox-faults|jammed|load|lock-users|metrics|module|observed|outage|package|poison|' +
    'previous-run|programs-|sandbox-|scripts|settings|shared-volume|status|stalled|stood-still|telegraf-versions|watchers)|' +
    '/supervisor/systemd-units',
);
const isUnit = ({ path }) => !/\/test\/(process|supervisor)\//.test(path);
const isTimed = (test) => !isUnit(test) && !waiting.test(test.path);

/** Those whose bounds are seconds, among them those of supervisors and of browsers: two leave each other a processor. */
const isLoose = ({ path }) =>
  /\/supervisor\/|\/process\/(delivery-(answers|patience)|hosts-restarts|inbox-backlog|page)/.test(path);

export default class extends TestRunner {
  async runTests(tests, watcher, options) {
    const timed = tests.filter(isTimed);
    // Without tests, Jest would start its workers all the same, and end them by force before they are up.
    const run = async (some, more) => {
      if (some.length > 0) await super.runTests(some, watcher, { ...options, ...more });
    };
    // Those that mostly wait come first, so that the others have the processor meanwhile. They know that they are not alone.
    process.env.RUNS_BESIDE_OTHERS = 'yes';
    await run([...tests.filter(({ path }) => waiting.test(path)), ...tests.filter(isUnit)]);
    delete process.env.RUNS_BESIDE_OTHERS;
    const globalConfig = this._globalConfig;
    this._globalConfig = { ...globalConfig, maxWorkers: Math.min(2, globalConfig.maxWorkers) };
    await run(timed.filter(isLoose));
    this._globalConfig = globalConfig;
    await run(
      timed.filter((test) => !isLoose(test)),
      { serial: true },
    );
  }
}
