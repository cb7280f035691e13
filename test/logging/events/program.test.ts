import { describe, expect, it } from '@jest/globals';
import type { ProgramEvent } from '../../../src/logging/events/program.js';
import { lineOf, type Samples } from './line-of.js';

const samples: Samples<ProgramEvent> = {
  'config.warning': [{ event: 'config.warning', warning: 'odd' }, 'warn', 'odd'],
  'process.fault': [
    { event: 'process.fault', origin: 'uncaughtException', error: 'thrown text' },
    'error',
    'Uncaught exception: thrown text',
  ],
  'program.slow': [
    { event: 'program.slow', progress: 'it exports nothing' },
    'warn',
    'Still waiting for the bot module: it exports nothing',
  ],
  'program.export-used': [
    { event: 'program.export-used', kinds: ['TCPServerWrap', 'Timeout'] },
    'info',
    'The bot module has launched no bot, so what it exports is used; it has open: TCPServerWrap, Timeout',
  ],
  'program.order-key-failed': [
    {
      event: 'program.order-key-failed',
      error: new TypeError('orderKey returned a number, not a string or undefined'),
    },
    'warn',
    "The bot's orderKey cannot be used for an update, so that ORDER decides: orderKey returned a number, not a string or undefined (logged only once)",
  ],
  'program.without-bot': [
    { event: 'program.without-bot', kinds: ['TCPServerWrap', 'Timeout'] },
    'warn',
    'No bot is polled any more; the program still has open: TCPServerWrap, Timeout',
  ],
  'program.left-open': [
    { event: 'program.left-open', kinds: ['a', 'b', 'c', 'd', 'e', 'f'] },
    'warn',
    'The bot program left open: a, b, c, d, e and 1 more',
  ],
  'log.level-changed': [
    { event: 'log.level-changed', level: 'debug', forMs: 300_000 },
    'info',
    'The log has the level debug for 5 min',
  ],
  'log.level-restored': [
    { event: 'log.level-restored', level: 'info' },
    'info',
    'The log has the level info again',
  ],
  'log.dropped': [
    { event: 'log.dropped', lines: 12 },
    'warn',
    '12 log lines dropped because nobody read them',
  ],
};

describe('an event of the program', () => {
  it.each(Object.values(samples))('$event has its line', async (event, level, msg) => {
    expect(await lineOf(event)).toMatchObject({ level, event: event.event, msg });
  });

  it('tells a rejection from an exception', async () => {
    const line = await lineOf({
      event: 'process.fault',
      origin: 'unhandledRejection',
      error: new Error('no'),
    });
    expect(line?.['msg']).toBe('Unhandled rejection: no');
  });
});
