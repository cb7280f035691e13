/**
 * Makes the inbox that the processes of several hosts share. It is loaded only where INBOX names a database, since every
 * start would wait for it otherwise.
 */
import type { Update } from 'telegraf/types';
import type { PostgresUrl } from './config/inbox-setting.js';
import { currentPlace, hostOf } from './host/place.js';
import type { PostgresOptions } from './inbox/postgres/options.js';
import { createDriver } from './inbox/postgres/pg.js';
import { PostgresInbox } from './inbox/postgres/postgres-inbox.js';

export type SharedInbox = PostgresInbox<Update>;

export function createSharedInbox(
  url: PostgresUrl,
  options: Omit<PostgresOptions<Update>, 'place' | 'path' | 'createDriver'>,
): SharedInbox {
  return new PostgresInbox({
    ...options,
    place: `${hostOf(currentPlace())} (pid ${process.pid})`,
    path: 'PostgreSQL',
    createDriver: () => createDriver(url),
  });
}
