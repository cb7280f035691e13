import { describe, expect, it } from '@jest/globals';
import { hostAndPort, listenAddress } from '../../src/config/listen-address.js';

describe('METRICS', () => {
  it.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464, isLoopback: true }],
    ['localhost:9464', { host: 'localhost', port: 9464, isLoopback: true }],
    ['[::1]:9464', { host: '::1', port: 9464, isLoopback: true }],
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80, isLoopback: false }],
    ['[::]:0', { host: '::', port: 0, isLoopback: false }],
    ['10.1.2.3:9464', { host: '10.1.2.3', port: 9464, isLoopback: false }],
  ])('takes %s', (text, parts) => {
    expect(listenAddress.parse(text, '/')).toEqual({ value: text });
    expect(hostAndPort(text)).toEqual({ address: text, ...parts });
  });

  it.each(['127.0.0.1:99999', '::1:9464', 'example.org:9464', '300.0.0.1:9464', '[127.0.0.1]:9464'])(
    'refuses %s, which can only be meant for lastcall',
    (text) => {
      const parsed = listenAddress.parse(text, '/');
      expect(parsed).toEqual({ problem: `expected ${listenAddress.expects}`, isOurs: true });
    },
  );

  it.each(['yes', '1', '9464', ':9464', '127.0.0.1', 'http://127.0.0.1:9464/metrics'])(
    'leaves %s to a bot program with a setting of this name',
    (text) => {
      expect(listenAddress.parse(text, '/')).toEqual({ problem: `expected ${listenAddress.expects}` });
    },
  );
});
