/** The log lines of events about the settings, the process, the bot program and the log itself. */
import { count, durationInWords, firstFew } from '../../words.js';
import { errorFields } from '../error-fields.js';
import type { Rows } from './row.js';

export type ProgramEvent =
  | { readonly event: 'config.warning'; readonly warning: string }
  | { readonly event: 'process.fault'; readonly origin: string; readonly error: unknown }
  | { readonly event: 'program.slow'; readonly progress: string }
  | { readonly event: 'program.export-used'; readonly kinds: readonly string[] }
  | { readonly event: 'program.order-key-failed'; readonly error: unknown }
  | { readonly event: 'program.without-bot'; readonly kinds: readonly string[] }
  | { readonly event: 'program.left-open'; readonly kinds: readonly string[] }
  | { readonly event: 'log.level-changed'; readonly level: string; readonly forMs: number }
  | { readonly event: 'log.level-restored'; readonly level: string }
  | { readonly event: 'log.dropped'; readonly lines: number };

export const programEvents: Rows<ProgramEvent> = {
  'config.warning': {
    level: 'warn',
    means: 'a setting is probably not what was meant, or the container lacks something',
    message: ({ warning }) => warning,
    fields: () => ({}),
  },
  'process.fault': {
    level: 'error',
    means: 'an uncaught exception or an unhandled rejection',
    message: ({ origin, error }) =>
      `${origin === 'unhandledRejection' ? 'Unhandled rejection' : 'Uncaught exception'}: ${errorFields(error).message}`,
  },
  'program.slow': {
    level: 'warn',
    means: 'the bot module has not provided a bot for a while; the start ends after `START_TIMEOUT`',
    message: ({ progress }) => `Still waiting for the bot module: ${progress}`,
  },
  'program.export-used': {
    level: 'info',
    means:
      'what the bot module exports is used now, because it has launched no bot; it still has something open of these `kinds`',
    message: ({ kinds }) =>
      `The bot module has launched no bot, so what it exports is used; it has open: ${firstFew(kinds, 5)}`,
  },
  'program.order-key-failed': {
    level: 'warn',
    means:
      "the bot's `orderKey` threw, or gave no key that can be used; `ORDER` decides for such an update. Logged once",
    message: ({ error }) =>
      `The bot's orderKey cannot be used for an update, so that ORDER decides: ${errorFields(error).message} (logged only once)`,
  },
  'program.without-bot': {
    level: 'warn',
    means:
      'the program has stopped its last bot, and still has something open (`kinds`); the run ends when it has not, or goes on when the program launches a bot',
    message: ({ kinds }) => `No bot is polled any more; the program still has open: ${firstFew(kinds, 5)}`,
  },
  'program.left-open': {
    level: 'warn',
    means:
      'the bot program left something open that would have kept its process alive, or was still at work when the time was up',
    message: ({ kinds }) => `The bot program left open: ${firstFew(kinds, 5)}`,
  },
  'log.level-changed': {
    level: 'info',
    means: '`lastcall log` has changed the level of the log, for `forMs`',
    message: ({ level, forMs }) => `The log has the level ${level} for ${durationInWords(forMs)}`,
    fields: ({ level, forMs }) => ({ logLevel: level, forMs }),
  },
  'log.level-restored': {
    level: 'info',
    means: 'the log has the level of the settings again',
    message: ({ level }) => `The log has the level ${level} again`,
    fields: ({ level }) => ({ logLevel: level }),
  },
  'log.dropped': {
    level: 'warn',
    means: 'lines were dropped because nobody read the log for a long time',
    message: ({ lines }) => `${count(lines, 'log line')} dropped because nobody read them`,
  },
};
