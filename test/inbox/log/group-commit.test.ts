import { describe, expect, it } from '@jest/globals';
import { GroupCommit } from '../../../src/inbox/log/group-commit.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

function rig() {
  const clock = new FakeClock();
  const underWay: { end: () => void; fail: (error: unknown) => void }[] = [];
  const failures: unknown[] = [];
  const times: number[] = [];
  const commits = new GroupCommit({
    commit: () => new Promise((end, fail) => underWay.push({ end, fail })),
    failed: (error) => failures.push(error),
    timed: (durationMs) => times.push(durationMs),
    clock,
  });
  return { clock, commits, underWay, failures, times };
}

describe('a group commit', () => {
  it('happens once for all that ask for it within a few milliseconds', async () => {
    const { clock, commits, underWay } = rig();
    commits.soon();
    await clock.advance(4);
    commits.soon();
    expect(underWay).toHaveLength(0);
    await clock.advance(1);
    expect(underWay).toHaveLength(1);
    commits.soon();
    await clock.advance(5);
    expect(underWay).toHaveLength(2);
  });

  it('tells how long it took, unless it failed', async () => {
    const { clock, commits, underWay, times } = rig();
    for (const how of ['end', 'fail'] as const) {
      void commits.now();
      await clock.advance(30);
      underWay.at(-1)?.[how](undefined);
      await settle();
    }
    expect(times).toEqual([30]);
  });

  it('happens at once for who cannot wait, and with it what was to happen soon', async () => {
    const { clock, commits, underWay } = rig();
    commits.soon();
    let done = false;
    void commits.now().then(() => (done = true));
    expect([underWay.length, clock.pending]).toEqual([1, 0]);
    await settle();
    expect(done).toBe(false);
    underWay[0]?.end();
    await settle();
    expect(done).toBe(true);
  });

  it('is not left to happen once it is cancelled', async () => {
    const { clock, commits, underWay } = rig();
    commits.soon();
    commits.cancel();
    await clock.advance(100);
    expect(underWay).toHaveLength(0);
  });

  it('that fails says so, and resolves all the same', async () => {
    const { commits, underWay, failures } = rig();
    const committed = commits.now();
    underWay[0]?.fail(new Error('no disk'));
    await committed;
    expect(failures).toEqual([new Error('no disk')]);
  });

  it('has a latest end as long as one is under way, which the end of another puts off', async () => {
    const { clock, commits, underWay } = rig();
    expect([commits.isUnderWay, commits.latestEnd]).toEqual([false, Number.POSITIVE_INFINITY]);
    void commits.now();
    await clock.advance(1_000);
    void commits.now();
    expect(commits.latestEnd).toBe(60_000);
    await clock.advance(1_000);
    underWay[0]?.end();
    await settle();
    expect([commits.isUnderWay, commits.latestEnd]).toEqual([true, 62_000]);
    underWay[1]?.end();
    await settle();
    expect([commits.isUnderWay, commits.latestEnd]).toEqual([false, Number.POSITIVE_INFINITY]);
  });
});
