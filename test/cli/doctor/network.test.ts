import { describe, expect, it } from '@jest/globals';
import type { ApiCall, Family } from '../../../src/cli/doctor/api-call.js';
import { checkNetwork } from '../../../src/cli/doctor/network.js';
import { type NetworkFacts, parseProxy } from '../../../src/cli/doctor/network-facts.js';
import { textOf, troubles } from '../../support/findings.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
const NOW = Date.UTC(2026, 0, 1);

const answered: ApiCall = {
  answer: { kind: 'ok', result: {} },
  code: undefined,
  connectMs: 20,
  tookMs: 60,
  aheadMs: 300,
  certificateUntilMs: NOW + 80 * DAY_MS,
};

const failed = (code: string, detail = code): ApiCall => ({
  answer: { kind: 'unreachable', why: 'network', detail },
  ...{ code, connectMs: undefined, tookMs: 10, aheadMs: undefined, certificateUntilMs: undefined },
});

const overdue: ApiCall = {
  ...failed('ABORT_ERR'),
  answer: { kind: 'unreachable', why: 'timeout', detail: 'no answer in time' },
};

const route = (family: Family, call: ApiCall = answered) => ({ family, call });

const healthy: NetworkFacts = {
  apiRoot: 'https://api.telegram.org',
  host: 'api.telegram.org',
  lookedUp: { tookMs: 3 },
  routes: [route(4), route(6)],
  proxies: [],
  nodeMajor: 24,
  usesEnvProxy: false,
};

const check = (changed: Partial<NetworkFacts>) => checkNetwork({ ...healthy, ...changed }, NOW);
const dead = { variable: 'HTTP_PROXY', place: 'proxy:3128', failure: 'ECONNREFUSED' };
const alive = { ...dead, failure: undefined };

describe('the way to Telegram', () => {
  it('is well with all that there is to say', () => {
    const found = check({});
    expect(troubles(found)).toEqual([]);
    expect(found.map(({ check: name }) => name)).toEqual(['reach', 'TLS', 'clock']);
    expect(textOf(found)).toContain('api.telegram.org answers by IPv4 in 60 ms, by IPv6 in 60 ms');
  });

  it.each<[string, Partial<NetworkFacts>, readonly string[], RegExp]>([
    [
      'the name has no address',
      { lookedUp: { failure: 'ENOTFOUND' }, routes: [] },
      ['reach: wrong'],
      /ENOTFOUND/,
    ],
    ['nothing answers', { routes: [route(4, overdue)] }, ['reach: wrong'], /no connection within 2 s/],
    [
      'something takes connections only',
      { routes: [route(4, { ...overdue, connectMs: 3 })] },
      ['reach: wrong'],
      /connected, but no answer[\s\S]*does it speak https/,
    ],
    [
      'a login page answers',
      {
        routes: [
          route(4, { ...answered, answer: { kind: 'unreachable', why: 'not-json', detail: 'text/html' } }),
        ],
      },
      ['reach: wrong'],
      /not as a Bot API server \(text\/html\)/,
    ],
    [
      'the answer is slow',
      { routes: [route(4, { ...answered, tookMs: 1_800 })] },
      ['reach: warning'],
      /1\.8 s/,
    ],
    ['IPv6 is a black hole', { routes: [route(4), route(6, overdue)] }, ['IPv6: warning'], /ipv4first/],
    [
      'IPv4 is refused',
      { routes: [route(4, failed('ECONNREFUSED')), route(6)] },
      ['IPv4: warning'],
      /only by IPv6/,
    ],
    ['the host has no IPv6', { routes: [route(4), route(6, failed('ENETUNREACH'))] }, [], /by IPv4/],
    [
      'a stranger has signed the certificate',
      { routes: [route(4, failed('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed'))] },
      ['TLS: wrong'],
      /self-signed[\s\S]*NODE_EXTRA_CA_CERTS[\s\S]*-connect api\.telegram\.org:443/,
    ],
    [
      'the certificate ends soon',
      { routes: [route(4, { ...answered, certificateUntilMs: NOW + 3 * DAY_MS })] },
      ['TLS: warning'],
      /only for 3 d more/,
    ],
    [
      'the clock is slow',
      { routes: [route(4, { ...answered, aheadMs: 45_000 })] },
      ['clock: warning'],
      /45 s slow/,
    ],
    [
      'the clock is fast',
      { routes: [route(4, { ...answered, aheadMs: -2 * 3_600_000 })] },
      ['clock: wrong'],
      /2 h fast/,
    ],
    [
      'the server tells no time',
      { routes: [route(4, { ...answered, aheadMs: undefined })] },
      ['clock: skipped'],
      /not tell/,
    ],
  ])('%s', (_, changed, found, words) => {
    const findings = check(changed);
    expect(troubles(findings)).toEqual(found);
    expect(textOf(findings)).toMatch(words);
  });
});

describe('a proxy in the environment', () => {
  const clear = { apiRoot: 'http://bots.example', host: 'bots.example' };
  const blocked = { routes: [route(4, overdue)] };

  it('is not used for an https server, which is wrong only where there is no other way', () => {
    expect(troubles(check({ proxies: [alive] }))).toEqual(['proxy: skipped']);
    expect(troubles(check({ proxies: [alive], ...blocked }))).toEqual(['reach: wrong', 'proxy: wrong']);
    expect(textOf(check({ proxies: [alive] }))).toContain('an agent of its own');
  });

  it('is used by Node 24 for an http server where it is told so', () => {
    expect(troubles(check({ ...clear, proxies: [alive], usesEnvProxy: true }))).toEqual([]);
    expect(textOf(check({ ...clear, proxies: [alive] }))).toContain('without NODE_USE_ENV_PROXY=1');
    expect(textOf(check({ ...clear, proxies: [alive], nodeMajor: 22 }))).toContain('Node 22 takes no proxy');
  });

  it.each([
    ['http://proxy:3128', 'proxy:3128'],
    ['proxy:3128', 'proxy:3128'],
    ['http://ann:secret@proxy:3128', 'proxy:3128'],
    ['http://ann:123/secret@proxy:3128', undefined],
    ['http://ann:12?secret@proxy', undefined],
    ['http://', undefined],
  ])('is read from %s without user and password', (text, host) => {
    expect(parseProxy(text)?.host).toBe(host);
  });

  it('is that of a bot that polls where this command has no way', () => {
    const found = checkNetwork({ ...healthy, proxies: [alive, dead], ...blocked }, NOW, 4711);
    expect(troubles(found)).toEqual(['reach: skipped', 'proxy: skipped', 'proxy: skipped']);
    expect(textOf(found)).toContain('cannot be reached (IPv4: no connection within 2 s). Process 4711 does');
  });

  it('is named where it is dead', () => {
    expect(troubles(check({ proxies: [dead] }))).toEqual(['proxy: warning']);
    expect(troubles(check({ proxies: [dead], ...blocked }))).toEqual(['reach: wrong', 'proxy: wrong']);
    expect(textOf(check({ proxies: [dead] }))).toContain(
      'proxy:3128, to which no connection is made: ECONNREFUSED',
    );
  });
});
