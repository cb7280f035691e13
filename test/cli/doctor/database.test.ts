import { describe, expect, it } from '@jest/globals';
import { checkDatabase, type DatabaseFacts } from '../../../src/cli/doctor/database.js';
import { textOf, troubles } from '../../support/findings.js';

const host = { place: 'one 1 2', silentMs: 100, isAlive: true, polls: true };
const counts = { running: 1, interrupted: 0, waiting: 4, dead: 0 };
const healthy: DatabaseFacts = {
  ...{ place: 'db.example/bots', failure: undefined, connectMs: 12, hasOwnSessions: true },
  ...{ version: { version: 3, least: 1 }, known: 3, hosts: [host], counts },
  durability: { survives: 'power', except: 'a fail-over loses' },
};

describe('the database', () => {
  it.each<[string, Partial<DatabaseFacts>, readonly string[], RegExp]>([
    [
      'at work',
      {},
      [],
      /connected in 12 ms[\s\S]*version 3[\s\S]*one \(polls\); 4 waiting, 1 running[\s\S]*power cut/,
    ],
    [
      'that refuses',
      { failure: { text: 'wrong password', cure: 'correct INBOX' } },
      ['database: wrong'],
      /correct INBOX/,
    ],
    ['behind a pooler', { hasOwnSessions: false }, ['database: wrong'], /PgBouncer/],
    [
      'without tables',
      { version: undefined, counts: undefined, hosts: [] },
      [],
      /the first start makes them/,
    ],
    ['with older tables', { version: { version: 2, least: 1 } }, [], /the next start makes it 3/],
    [
      'with newer tables',
      { version: { version: 5, least: 4 }, counts: undefined, hosts: [] },
      ['tables: wrong', 'hosts: skipped'],
      /npm install/,
    ],
    [
      'that nobody polls for',
      { hosts: [{ ...host, polls: false }] },
      ['hosts: warning'],
      /1 process at work/,
    ],
    ['that nobody works for', { hosts: [{ ...host, isAlive: false }] }, ['hosts: warning'], /4 updates/],
    ['at rest', { hosts: [], counts: { ...counts, waiting: 0 } }, [], /nobody at work/],
    [
      'with dead letters',
      { counts: { ...counts, dead: 2 } },
      ['dead letters: warning'],
      /2 updates given up/,
    ],
    [
      'that does not keep what it says',
      { durability: { survives: 'process', except: 'fsync=off' } },
      ['durability: warning'],
      /fsync=off/,
    ],
    ['with standbys', { durability: { survives: 'fail-over', except: undefined } }, [], /a fail-over/],
  ])('%s', (_, changed, found, words) => {
    const findings = checkDatabase({ ...healthy, ...changed });
    expect(troubles(findings)).toEqual(found);
    expect(textOf(findings)).toMatch(words);
  });
});
