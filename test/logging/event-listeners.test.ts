import { describe, expect, it } from '@jest/globals';
import type { AppEvent } from '../../src/logging/app-event.js';
import { logEvent } from '../../src/logging/events.js';
import { logInto } from './logging.js';
import { MemoryOutput } from './memory-output.js';

const TOKEN = '471100001:LISTENERS-TEST-TOKEN-NOT-SECRET-123';

describe('a listener for events', () => {
  it('is told what the log says, and what it leaves out, without secrets', async () => {
    const output = new MemoryOutput();
    const { eventLog, onEvent, addSecret } = await logInto(output, { level: 'warn' });
    addSecret(TOKEN);
    const seen: AppEvent[] = [];
    logEvent(eventLog, { event: 'poll.started' }, { bot: 7 });
    onEvent((event) => seen.push(event));
    logEvent(eventLog, { event: 'poll.started' }, { bot: 7 });
    const error = new Error(`with ${TOKEN}`);
    logEvent(eventLog, { event: 'process.fault', origin: 'uncaughtException', error });
    expect(seen).toMatchObject([
      { event: 'poll.started', level: 'info', bot: 7, fields: {} },
      { event: 'process.fault', level: 'error', message: 'Uncaught exception: with 471100001:***' },
    ]);
    expect(seen[1]?.fields['err']).toBeInstanceOf(Error);
    expect(JSON.stringify(seen)).not.toContain('NOT-SECRET');
    expect(output.lines.map(({ event }) => event)).toEqual(['process.fault']);
  });

  it('is told of the receipt, and not of the lines of others', async () => {
    const { log, receiptLog, onEvent } = await logInto(new MemoryOutput());
    const seen: string[] = [];
    onEvent(({ event }) => seen.push(event));
    log.info({ event: 'poll.started' }, 'by the program');
    receiptLog.info({ event: 'lifecycle.stopped' }, 'stopped');
    expect(seen).toEqual(['lifecycle.stopped']);
  });

  it('harms nobody when it fails, at once or later', async () => {
    const output = new MemoryOutput();
    const { eventLog, onEvent } = await logInto(output);
    const seen: string[] = [];
    onEvent(() => {
      throw new Error('at once');
    });
    onEvent(async () => {
      throw new Error('later');
    });
    onEvent(({ event }) => seen.push(event));
    logEvent(eventLog, { event: 'poll.started' });
    await new Promise(setImmediate);
    expect(seen).toEqual(['poll.started']);
    expect(output.lines).toHaveLength(1);
  });
});
