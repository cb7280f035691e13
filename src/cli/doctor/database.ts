/** Looks at and checks the database of the inbox: whether it can be used, by whom it is, and what it keeps. */
import type { PostgresUrl } from '../../config/inbox-setting.js';
import { countStates, type HostEntry, listHosts } from '../../inbox/postgres/contents.js';
import { haveOwnSessions } from '../../inbox/postgres/database.js';
import { type Durability, readDurability } from '../../inbox/postgres/durability.js';
import { readVersion } from '../../inbox/postgres/migrate.js';
import { migrations } from '../../inbox/postgres/schema.js';
import { isLastcallError } from '../../thrown.js';
import { count, durationInWords } from '../../words.js';
import { connectOnce, placeOf } from '../inbox/database.js';
import { type Finding, orWell, skipped, warning, well, wrong } from './finding.js';
import { deadFinding } from './inbox.js';
import { within } from './time-limit.js';

export interface DatabaseFacts {
  readonly place: string;
  /** Why it cannot be used; undefined where it can. */
  readonly failure: { readonly text: string; readonly cure: string } | undefined;
  readonly connectMs: number;
  /** Whether each connection has a session of its own, unlike behind PgBouncer in transaction mode. */
  readonly hasOwnSessions: boolean;
  /** The version of the tables, and the oldest lastcall that may work on them; undefined where there are none yet. */
  readonly version: { readonly version: number; readonly least: number } | undefined;
  /** The newest version that this lastcall knows. */
  readonly known: number;
  readonly durability: Durability | undefined;
  readonly hosts: readonly HostEntry[];
  readonly counts: Awaited<ReturnType<typeof countStates>> | undefined;
}

/** Never rejects. Makes no tables, and changes none. */
export async function lookAtDatabase(url: PostgresUrl, bot: string | undefined): Promise<DatabaseFacts> {
  const begunAt = performance.now();
  const nothing: DatabaseFacts = {
    place: placeOf(url),
    failure: {
      text: 'it has not answered within 2 s',
      cure: 'see to the database and the network to it; lastcall connects again by itself',
    },
    connectMs: 0,
    hasOwnSessions: true,
    version: undefined,
    known: migrations.at(-1)?.version ?? 0,
    durability: undefined,
    hosts: [],
    counts: undefined,
  };
  return within(async (signal) => {
    try {
      const sessions = await Promise.all([connectOnce(url, signal), connectOnce(url, signal)]);
      const connectMs = performance.now() - begunAt;
      const [session] = sessions;
      try {
        const hasOwnSessions = await haveOwnSessions(sessions);
        const version = await readVersion(session);
        const isReadable = version !== undefined && version.least <= nothing.known && bot !== undefined;
        return {
          ...{ ...nothing, failure: undefined, connectMs, hasOwnSessions, version },
          durability: await readDurability(session),
          hosts: isReadable ? await listHosts(session, bot) : [],
          counts: isReadable ? await countStates(session, bot) : undefined,
        };
      } finally {
        await Promise.all(sessions.map((each) => each.close()));
      }
    } catch (error) {
      if (!isLastcallError(error)) throw error;
      return { ...nothing, failure: { text: error.message, cure: error.nextStep } };
    }
  }, nothing);
}

export function checkDatabase(facts: DatabaseFacts): readonly Finding[] {
  const { place, failure, connectMs } = facts;
  if (failure)
    return [
      wrong('database', `The database ${place} cannot be used: ${failure.text}.`, { cure: failure.cure }),
    ];
  return [
    ...checkSessions(facts),
    well('database', `${place} answers, connected in ${durationInWords(connectMs)}`),
    checkVersion(facts),
    ...checkHosts(facts),
    ...checkDurability(facts),
  ];
}

function checkSessions({ place, hasOwnSessions }: DatabaseFacts): readonly Finding[] {
  if (hasOwnSessions) return [];
  return [
    wrong(
      'database',
      `Between lastcall and ${place} is PgBouncer or the like, in transaction mode, in which locks and notifications do not last.`,
      {
        cure: 'name the database itself in INBOX, its own host and port, or a pool in session mode; lastcall needs three connections a process',
      },
    ),
  ];
}

function checkVersion({ version, known, place }: DatabaseFacts): Finding {
  if (!version) return well('tables', 'none yet, the first start makes them');
  if (version.least > known)
    return wrong(
      'tables',
      `The tables in ${place} are of version ${version.version}, and this lastcall knows ${known}.`,
      {
        cure: 'install the newer lastcall here, too:',
        commands: ['npm install lastcall@latest'],
      },
    );
  if (version.version < known)
    return well('tables', `version ${version.version}, the next start makes it ${known}`);
  return well('tables', `version ${version.version}`);
}

function checkHosts({ hosts, counts, version }: DatabaseFacts): readonly Finding[] {
  if (!version) return [];
  if (!counts)
    return [skipped('hosts', 'the bot is not known here, so neither are those that work on its updates')];
  const alive = hosts.filter(({ isAlive }) => isAlive);
  const poller = alive.find(({ polls }) => polls);
  const waiting = counts.waiting + counts.interrupted;
  const found: Finding[] = [...deadFinding(counts.dead)];
  if (alive.length > 0 && !poller)
    found.push(
      warning(
        'hosts',
        `${count(alive.length, 'process')} at work, and none polls.`.replace('processs', 'processes'),
        {
          cure: 'one takes over within 5 s: look again; if none does, see what they log',
          commands: ['lastcall doctor'],
        },
      ),
    );
  if (alive.length === 0 && waiting > 0)
    found.push(
      warning('hosts', `${count(waiting, 'update')} in the database, and nobody works on them.`, {
        cure: 'start the bot: it goes on with them',
      }),
    );
  const who = alive.map(({ place, polls }) => `${place.split(' ')[0]}${polls ? ' (polls)' : ''}`).join(', ');
  return orWell(
    found,
    'hosts',
    alive.length === 0 ? 'nobody at work' : `${who}; ${waiting} waiting, ${counts.running} running`,
  );
}

function checkDurability({ durability }: DatabaseFacts): readonly Finding[] {
  if (!durability) return [];
  const { survives, except } = durability;
  if (survives === 'process')
    return [
      warning('durability', `What is accepted may be lost: ${except}.`, {
        cure: 'set fsync=on and synchronous_commit=on in PostgreSQL',
        commands: ["psql -c 'show fsync' -c 'show synchronous_commit'"],
      }),
    ];
  return [
    well(
      'durability',
      `an accepted update survives a ${survives === 'power' ? 'power cut, not a fail-over' : 'fail-over'}`,
    ),
  ];
}
