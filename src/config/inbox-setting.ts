/** The value of INBOX: a word, or the URL of a PostgreSQL database, whose password is a secret. */
import { didYouMean } from './did-you-mean.js';
import { isLoopback, type Parsed, type ValueType } from './value-types.js';

export type PostgresUrl = `postgres://${string}`;
export type InboxSetting = 'journal' | 'memory' | PostgresUrl;

const words = ['journal', 'memory'] as const;

/** The modes of TLS that `pg` knows. It takes `prefer`, `require` and `verify-ca` for `verify-full`. */
const sslModes = ['disable', 'no-verify', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** What may stand behind the `?`. Others have no effect, so that a misspelled one is not noticed. */
const parameters = [
  ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation', 'uselibpqcompat'],
  ...['host', 'port', 'user', 'password', 'application_name', 'options'],
];

export const inboxSetting: ValueType<InboxSetting> = {
  expects: 'journal, memory, or a URL such as postgres://user:…@host/database?sslmode=verify-full',
  print: (value) => value,
  parse(text) {
    if (/^postgres(?:ql)?:/i.test(text)) return parseUrl(text);
    const word = text.toLowerCase();
    const value = words.find((candidate) => candidate === word);
    return value === undefined ? { problem: `expected ${inboxSetting.expects}` } : { value };
  },
  conceal(text) {
    if (!/^postgres(?:ql)?:/i.test(text)) return text;
    // An `@` behind the host is one of a password that holds a `/` or a `?`.
    if (!URL.canParse(text) || hasStrayAt(new URL(text))) return 'postgres://***';
    const url = new URL(text);
    const { misspelled, partsOfPassword } = unknownNames(url);
    // One that is not known may be a misspelled password.
    const secret = ['password', ...misspelled].filter((name) => url.searchParams.has(name));
    if (url.password === '' && secret.length === 0 && partsOfPassword.length === 0) return text;
    if (url.password !== '') url.password = '***';
    for (const name of partsOfPassword) url.searchParams.delete(name);
    for (const name of secret) url.searchParams.set(name, '***');
    return url.href;
  },
};

/** Whether the choice is a database. */
export const isPostgresUrl = (choice: InboxSetting): choice is PostgresUrl =>
  choice.startsWith('postgres://');

/** Returns the passwords that a choice holds, as they are and as the URL spells them. */
export function passwordsIn(choice: InboxSetting): readonly string[] {
  if (!isPostgresUrl(choice)) return [];
  const { password, search, searchParams } = new URL(choice);
  const spelled = /[?&]password=([^&]*)/.exec(search)?.[1] ?? '';
  const all = [password, tryDecode(password) ?? '', spelled, searchParams.get('password') ?? ''];
  return [...new Set(all)].filter((text) => text !== '');
}

function parseUrl(text: string): Parsed<InboxSetting> {
  // A program has no such setting of its own, so it is lastcall's even if it is wrong.
  const wrong = (problem: string): Parsed<InboxSetting> => ({ problem, isOurs: true });
  const rest = text.replace(/^postgres(?:ql)?:/i, '');
  if (!rest.startsWith('//')) return wrong('"//" is missing after "postgres:"');
  const value: PostgresUrl = `postgres://${rest.slice(2)}`;
  if (!URL.canParse(value) || hasStrayAt(new URL(value)))
    return wrong(
      'it is not a URL that can be used: is the port a number, and are special characters of the password percent-encoded ("@" as %40, "/" as %2F, ":" as %3A, "#" as %23)?',
    );
  const url = new URL(value);
  if (url.hash !== '') return wrong('it has a "#" part; a "#" in the password is written as %23');
  if (tryDecode(url.password) === undefined || tryDecode(url.username) === undefined)
    return wrong('a "%" in the user or password is written as %25');
  if (url.hostname.includes(',') || /%2c/i.test(url.hostname))
    return wrong('it names several hosts; name one that always leads to the primary');
  if (url.hostname === '' && !url.searchParams.has('host')) return wrong('the host is missing');
  if (/^\/?$/.test(url.pathname)) return wrong('the database is missing: postgres://…/DATABASE');
  if (url.pathname.slice(1).includes('/')) return wrong('there is more than a database in its path');
  const mode = url.searchParams.get('sslmode');
  if (mode !== null && !sslModes.includes(mode))
    return wrong(`its sslmode is not one of ${sslModes.join(', ')}`);
  const doubts = [...unknownParameters(url), ...encryptionDoubts(url, mode)];
  return doubts.length === 0 ? { value } : { value, doubt: doubts.join('; ') };
}

function hasStrayAt({ pathname, search, hash }: URL): boolean {
  return `${pathname}${search}${hash}`.includes('@');
}

/** The names that are not known. What comes behind a password may be a part of it, as in `password=one&two`. */
function unknownNames({ searchParams }: URL) {
  const misspelled: string[] = [];
  const partsOfPassword: string[] = [];
  let hasPassword = false;
  for (const name of searchParams.keys()) {
    if (!parameters.includes(name)) (hasPassword ? partsOfPassword : misspelled).push(name);
    hasPassword ||= name === 'password' || didYouMean(name, parameters) === 'password';
  }
  return { misspelled, partsOfPassword };
}

function unknownParameters(url: URL): string[] {
  const { misspelled, partsOfPassword } = unknownNames(url);
  const doubts = misspelled.map((name) => {
    const meant = didYouMean(name, parameters);
    return `its parameter "${name}" is not known${meant === undefined ? '' : ` (did you mean "${meant}"?)`}`;
  });
  if (partsOfPassword.length > 0)
    doubts.push('behind its password comes what is no parameter; a "&" in the password is written as %26');
  return doubts;
}

function encryptionDoubts({ hostname, searchParams }: URL, mode: string | null): string[] {
  const host = searchParams.get('host') ?? hostname;
  if (host === '' || host.startsWith('/') || /^%2f/i.test(host) || isLoopback(host)) return [];
  if (mode === 'no-verify')
    return ['sslmode=no-verify encrypts, but to anybody who answers; use verify-full with sslrootcert'];
  const encrypts = mode !== null && mode !== 'disable';
  if (encrypts || ['sslrootcert', 'sslcert', 'sslkey'].some((name) => searchParams.has(name))) return [];
  return [
    'the connection is not encrypted, and carries the messages of people; add ?sslmode=verify-full, unless the way to the server is protected',
  ];
}

function tryDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
