/** What is told of a bot outside its log: each figure, in each state of the bot, against what the sandbox knows. */
import { it, jest } from '@jest/globals';
import { throughStates } from '../support/observed/busy-bot.js';
import { MetricsObserver } from '../support/observed/metrics-observer.js';
import { StatusObserver } from '../support/observed/status-observer.js';

jest.setTimeout(90_000);

it('status and metrics are true under load, standing by, of a jam, in an outage, in the drain, and over restarts', async () => {
  await throughStates([new StatusObserver(), new MetricsObserver()]);
});
