import { describe, expect, it } from '@jest/globals';
import { proxySecretsIn, proxySecretsOf } from '../../src/telegraf/proxy-secrets.js';
import { PROXY_PASSWORD, PROXY_USER, proxyAgents } from '../support/proxy.js';

const sent = Buffer.from(`${PROXY_USER}:${PROXY_PASSWORD}`).toString('base64');

describe('the secrets of a proxy', () => {
  it.each(Object.entries(proxyAgents))('are found in an agent: %s', (_, agentFor) => {
    expect(proxySecretsOf(agentFor(8080))).toEqual([PROXY_PASSWORD, sent]);
  });

  it('are found however an agent keeps them', () => {
    expect(proxySecretsOf({ proxyOptions: { proxyAuth: `${PROXY_USER}:${PROXY_PASSWORD}` } })).toEqual([
      `${PROXY_USER}:${PROXY_PASSWORD}`,
      PROXY_PASSWORD,
      sent,
    ]);
    expect(proxySecretsOf({ proxy: 'http://ann:p%40ssword@proxy.test' })).toEqual([
      'p%40ssword',
      'p@ssword',
      Buffer.from('ann:p@ssword').toString('base64'),
    ]);
  });

  it.each(['HTTPS_PROXY', 'http_proxy', 'ALL_PROXY'])('are found in %s', (name) => {
    for (const scheme of ['http://', ''])
      expect(proxySecretsIn({ [name]: `${scheme}${PROXY_USER}:${PROXY_PASSWORD}@127.0.0.1:1` })).toEqual([
        PROXY_PASSWORD,
        sent,
      ]);
  });

  it.each(['p/ssword', 'p@ss#word', 'p?ssword'])('are found in what is no URL for them: %s', (password) => {
    expect(proxySecretsIn({ HTTPS_PROXY: `http://ann:${password}@proxy.test:80` })).toContain(password);
  });

  it('may be none', () => {
    for (const agent of [
      undefined,
      null,
      7,
      () => undefined,
      {},
      { proxy: 'no URL' },
      { proxy: 'http://a.test' },
    ])
      expect(proxySecretsOf(agent)).toEqual([]);
    expect(proxySecretsIn({ HTTPS_PROXY: 'http://%', HTTP_PROXY: undefined, PATH: 'a:b@c' })).toEqual([]);
    const hostile = Object.defineProperty({}, 'proxy', {
      get: () => {
        throw new Error('hostile');
      },
    });
    expect(proxySecretsOf(hostile)).toEqual([]);
  });
});
