/** The log lines of events about handlers and the drain. */
import type { DispatchEvent, Handling } from '../../dispatch/events.js';
import type { Entry } from '../../inbox/inbox.js';
import { count, durationInWords, firstFew } from '../../words.js';
import { errorFields } from '../error-fields.js';
import { lineFields } from '../line-fields.js';
import type { Rows } from './row.js';

export const dispatchEvents: Rows<DispatchEvent<Entry>> = {
  'handler.failed': {
    level: 'error',
    means:
      'a handler threw; its update counts as failed, or as caught where `bot.catch` took the error (`caught`)',
    message: ({ item, durationMs, error }) =>
      `The handler of ${nameOf(item)} failed after ${durationInWords(durationMs)}: ${errorFields(error).message}`,
    fields: handlingFields,
  },
  'handler.timed-out': {
    level: 'warn',
    means: 'a handler ran for longer than `HANDLER_TIMEOUT`; its `ctx.signal` is aborted',
    message: ({ item, durationMs }) =>
      `The handler of ${nameOf(item)} is overdue after ${durationInWords(durationMs)}`,
    fields: handlingFields,
  },
  'handler.hung': {
    level: 'error',
    means: 'a handler was still running 10 s after its `ctx.signal` aborted; its chat continues without it',
    message: ({ item, durationMs }) =>
      `The handler of ${nameOf(item)} hangs after ${durationInWords(durationMs)}; continuing without it`,
    fields: handlingFields,
  },
  'handler.ended-late': {
    level: 'debug',
    means: 'a handler that had hung has ended after all',
    message: ({ item, durationMs }) =>
      `The handler of ${nameOf(item)} has ended after ${durationInWords(durationMs)}`,
    fields: handlingFields,
  },
  'handler.put-back': {
    level: 'warn',
    means:
      'a handler failed for a reason that passes (`failure`); its update is tried again after `delayMs`, at its place in its chat, or by the next run',
    message: ({ item, error, delayMs }) =>
      `Put back ${nameOf(item)}, to be tried again ${delayMs === undefined ? 'by the next run' : `in ${durationInWords(delayMs)}`}: ${errorFields(error).message}`,
    // The first time is worth a line, and each one after which people wait for long; those between are many.
    levelOf: ({ item, delayMs }) => (item.putBacks === 0 || (delayMs ?? 0) >= 60_000 ? 'warn' : 'debug'),
    fields: handlingFields,
  },
  'dispatch.held': {
    level: 'warn',
    means: 'no new handler starts, because Telegram cannot be reached',
    message: ({ running, waiting }) =>
      `Telegram cannot be reached: starting no more handlers; ${count(running, 'handler')} running, ${count(waiting, 'update')} waiting`,
  },
  'dispatch.resumed': {
    level: 'info',
    means: 'handlers start again, after `heldMs`',
    message: ({ heldMs, waiting }) =>
      `Starting handlers again after ${durationInWords(heldMs)}; ${count(waiting, 'update')} waiting`,
  },
  'dispatch.jammed': {
    level: 'warn',
    means:
      'a chat (`key`) jams: `waiting` of its updates wait behind this handler, the first of them for `waitedMs`, although handlers could start; at most once a minute and chat',
    message: ({ item, durationMs, waiting, waitedMs }) =>
      `${count(waiting, 'update')} with the key ${item.key} wait, the first for ${durationInWords(waitedMs)}, behind the handler of ${nameOf(item)}, which has run for ${durationInWords(durationMs)}`,
    fields: handlingFields,
  },
  'dispatch.unjammed': {
    level: 'info',
    means: 'a chat that jammed does no longer, after `jammedMs`',
    message: ({ key, jammedMs }) =>
      `The updates with the key ${key} no longer wait for long, after ${durationInWords(jammedMs)}`,
  },
  'dispatch.exhausted': {
    level: 'error',
    means: 'more handlers hang than `CONCURRENCY` allows; the run ends',
    message: ({ hung, concurrency }) =>
      `${count(hung, 'handler')} hang, more than may run at once (${concurrency})`,
  },
  'dispatch.fault': {
    level: 'error',
    means: 'an update could not be settled; the run ends',
    message: ({ item }) => `Could not settle ${nameOf(item)}`,
    fields: handlingFields,
  },
  'drain.started': {
    level: 'info',
    means: 'the drain begins: running handlers may end, no new ones start',
    message: ({ running, waiting }) =>
      `Draining: ${count(running, 'handler')} running, ${count(waiting, 'update')} waiting`,
  },
  'drain.overdue': {
    level: 'warn',
    means:
      'the time for the drain is over; the handlers still running are aborted, their updates stay for the next run',
    message: ({ aborted }) => {
      const handlings = aborted.map(
        (handling) => `${nameOf(handling.item)} after ${durationInWords(handling.durationMs)}`,
      );
      return `Aborted ${count(aborted.length, 'handler')} that did not end in time: ${firstFew(handlings, 5)}`;
    },
    fields: ({ aborted }) => ({ aborted: aborted.map(handlingFields) }),
  },
};

function handlingFields({ item, ...rest }: Partial<Handling<Entry>> & { readonly item: Entry }): object {
  const { updateId, kind, key, attempt } = item;
  return lineFields({ updateId, kind, ...(attempt > 1 && { attempt }), ...rest, key });
}

function nameOf({ updateId, kind }: Entry): string {
  return `update ${updateId} (${kind})`;
}
