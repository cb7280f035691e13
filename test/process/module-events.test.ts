/** A bot module that listens to the events of its run. */
import { expect, it, jest } from '@jest/globals';
import { allAnswered, openSandbox, runBot } from '../support/delivery.js';

jest.setTimeout(30_000);

it('a module is told what the log says, from its set-up to the receipt, and its errors end nothing', async () => {
  await using sandbox = await openSandbox();
  sandbox.say('hello');
  await using daemon = runBot(sandbox, 'listening');
  await allAnswered(sandbox);
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  const told = daemon.lines.flatMap((line) => line['told'] ?? []);
  const logged = daemon.events();
  const polls = logged.filter((event) => event.startsWith('poll.'));
  expect(told).toEqual(
    expect.arrayContaining(['poll.connected', 'poll.answered', 'drain.started', 'lifecycle.stopped']),
  );
  expect(told.filter((event) => event === 'poll.started')).toHaveLength(1);
  expect(told).toEqual(expect.arrayContaining(polls));
  expect(logged).not.toContain('process.fault');
});
