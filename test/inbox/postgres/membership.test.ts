/** When a process may take others for dead. */
import { expect, test } from '@jest/globals';
import { Membership } from '../../../src/inbox/postgres/membership.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

test('judges nobody after an outage until the others have had the time to come back', async () => {
  const clock = new FakeClock();
  const answers = [{ id: 1, polls: false, work: false, nextEndMs: undefined }];
  const nothing = () => {};
  const membership = new Membership({
    database: { beat: { query: async () => answers } as never },
    bot: 'a bot',
    place: 'here',
    clock,
    leaseMs: 5_000,
    isDraining: () => false,
    epoch: () => undefined,
    on: { alive: nothing, lost: nothing, work: nothing, dead: nothing, failed: nothing },
  });
  await membership.begin();
  expect(membership.canJudge).toBe(true);
  membership.noticeOutage();
  await clock.advance(16_000);
  expect(membership.canJudge).toBe(false);
  await clock.advance(1_000);
  expect(membership.canJudge).toBe(true);
  await membership.end();
  await settle();
});
