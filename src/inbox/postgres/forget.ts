/** Removes all that the tables hold of a bot, for one that is never to run again. */
import type { Session } from './session.js';

/** No process may be at work with its inbox. Rejects with what the database says. */
export function forgetBot(session: Session, bot: string): Promise<void> {
  return session.transaction(async (queries) => {
    for (const table of ['hosts', 'pollers', 'updates', 'lanes', 'dead_letters', 'moves'])
      await queries.query({ text: `delete from ${table} where bot = $1` }, [bot]);
  });
}
