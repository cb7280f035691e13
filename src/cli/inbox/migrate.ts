/** `lastcall inbox migrate`: makes the tables in the database, or brings them up to date. */
import { systemClock } from '../../clock.js';
import type { PostgresUrl } from '../../config/inbox-setting.js';
import { ExitCode } from '../../exit-code.js';
import { migrate as migrateTables } from '../../inbox/postgres/migrate.js';
import type { InboxContext } from './context.js';
import { connectOnce, placeOf } from './database.js';
import { print } from './print.js';

export async function migrate(io: InboxContext['io'], url: PostgresUrl): Promise<number> {
  const session = await connectOnce(url, io.signal);
  try {
    const { from, to } = await migrateTables(session, { clock: systemClock, signal: io.signal });
    await print(io, [`the tables in ${placeOf(url)} ${inWords(from, to)}\n`]);
    return ExitCode.clean;
  } finally {
    await session.close();
  }
}

function inWords(from: number | undefined, to: number): string {
  if (from === undefined) return `were made, of version ${to}`;
  return from === to
    ? `are of version ${to}; there was nothing to do`
    : `were brought from version ${from} to ${to}`;
}
