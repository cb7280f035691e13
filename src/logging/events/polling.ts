/** The log lines of polling events. */
import type { PollingEvent } from '../../polling/events.js';
import { count, durationInWords } from '../../words.js';
import type { Rows } from './row.js';

export const pollingEvents: Rows<PollingEvent> = {
  'poll.connected': {
    level: 'info',
    means: '`getMe` has answered: the token is valid',
    message: ({ id, username }) =>
      `Connected to Telegram as ${username === undefined ? `account ${id}, which has no username` : `@${username} (${id})`}`,
  },
  'poll.backlog': {
    level: 'info',
    means: 'how many updates wait at Telegram at the start',
    message: ({ pending }) => `${count(pending, 'update')} waiting at Telegram`,
  },
  'poll.webhook-deleted': {
    level: 'warn',
    means: 'a webhook was set and has been removed',
    message: ({ host }) => `Removed the webhook at ${host}: it gets no more updates`,
  },
  'poll.pending-dropped': {
    level: 'warn',
    means: 'the updates that waited at Telegram were dropped, as requested',
    message: ({ count: dropped }) =>
      `Dropped ${dropped === undefined ? 'all updates' : count(dropped, 'update')} waiting at Telegram`,
  },
  'poll.started': {
    level: 'info',
    means: 'the first poll is answered: updates flow',
    message: () => 'Polling',
  },
  'poll.answered': {
    level: 'debug',
    means: 'a poll is answered',
    message: (event) => `${count(event.count, 'update')} after ${durationInWords(event.durationMs)}`,
  },
  'poll.failed': {
    level: 'warn',
    means:
      'Telegram is out of reach, which is retried without limit, or `getMe` refuses a token that was valid, which is retried for a minute',
    message: (event) => {
      const what = event.class === 'unreachable' ? 'Telegram unreachable' : 'getMe refuses the token too';
      return `${what} (${event.detail}); next try in ${durationInWords(event.retryInMs)}`;
    },
  },
  'poll.rate-limited': {
    level: 'warn',
    means: 'Telegram asked lastcall to wait',
    message: ({ retryAfterSeconds }) =>
      `Telegram asks to wait; next try in ${durationInWords(retryAfterSeconds * 1_000)}`,
  },
  'poll.conflict': {
    level: 'warn',
    means: 'another program or a webhook takes the updates; the run ends after `CONFLICT_PATIENCE`',
    message: ({ by, detail, patienceLeftMs }) => {
      const who =
        by === 'webhook' ? 'A webhook takes the updates' : 'Another program polls with the same token';
      return `${who} (${detail}); continuing for ${durationInWords(patienceLeftMs)}`;
    },
  },
  'poll.token-doubted': {
    level: 'error',
    means: 'a call is refused as if the token were wrong, which was valid before; `getMe` is asked',
    message: ({ detail }) => `Telegram refuses a token that was valid (${detail}); asking again with getMe`,
  },
  'poll.rejected': {
    level: 'error',
    means: 'Telegram rejects the poll as a bad request; the run ends if this lasts for 2 minutes',
    message: ({ detail, retryInMs, patienceLeftMs }) =>
      `Telegram rejects the poll (${detail}); next try in ${durationInWords(retryInMs)}, giving up in ${durationInWords(patienceLeftMs)}`,
  },
  'poll.recovered': {
    level: 'info',
    means: 'Telegram answers again after failures; `gapMs` is how long it did not answer',
    message: ({ gapMs, failures }) =>
      `Telegram answers again after ${durationInWords(gapMs)} and ${count(failures, 'failure')}`,
  },
  'poll.confirmed': {
    level: 'info',
    means: 'the stop has told Telegram to forget the updates below `offset`',
    message: ({ offset }) => `Confirmed all updates below ${offset}`,
  },
  'poll.confirm-failed': {
    level: 'warn',
    means:
      'the stop could not tell Telegram to forget the accepted updates; Telegram will send them again, and only the journal recognizes them',
    message: ({ offset, detail }) =>
      `Could not confirm the updates below ${offset} (${detail}); Telegram will send those since the last poll again`,
  },
  'poll.stopped': {
    level: 'info',
    means: 'polling has ended',
    message: ({ fetched, confirmedUpTo }) =>
      `Polling ended: ${count(fetched, 'update')} fetched${confirmedUpTo === undefined ? '' : `, confirmed up to ${confirmedUpTo}`}`,
  },
};
