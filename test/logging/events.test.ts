import { describe, expect, it } from '@jest/globals';
import { eventTable } from '../../src/logging/events.js';
import { eventsMarkdown } from '../support/readme-tables.js';
import { lineOf } from './events/line-of.js';

describe('an event', () => {
  it('has its properties as fields, times to a tenth of a millisecond, and the context before them', async () => {
    const line = await lineOf({ event: 'lifecycle.running', durationMs: 120.3456 }, { bot: 123 });
    expect(line).toMatchObject({ bot: 123, durationMs: 120.3 });
    const endless = { event: 'hook.starting', hook: 'database', limitMs: Number.POSITIVE_INFINITY } as const;
    expect(await lineOf(endless)).toMatchObject({ limitMs: null, msg: 'database: starting' });
  });

  it('costs nothing where its level is off', async () => {
    let asked = 0;
    const event = {
      event: 'poll.answered',
      count: 1,
      get durationMs() {
        asked++;
        return 1;
      },
    } as const;
    expect(await lineOf(event, undefined, 'info')).toBeUndefined();
    expect(asked).toBe(0);
  });
});

describe('the table', () => {
  it('is Markdown for the README, in plain words', () => {
    const lines = eventsMarkdown().split('\n');
    expect(lines).toHaveLength(Object.keys(eventTable).length + 2);
    expect(lines).toContain('| `poll.started` | info | the first poll is answered: updates flow |');
    for (const line of lines) expect(line.match(/\|/g)).toHaveLength(4);
  });

  it('has names of two parts', () => {
    for (const name of Object.keys(eventTable)) expect(name).toMatch(/^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/);
  });
});
