import { describe, expect, it } from '@jest/globals';
import { describeError, isAddressTimeout } from '../../../src/telegraf/bot-api/describe-error.js';

const withCode = (message: string, code: string) => Object.assign(new Error(message), { code });

describe('an error of a connection', () => {
  it.each([
    ['self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'NODE_EXTRA_CA_CERTS'],
    ['unable to verify the first certificate', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'NODE_EXTRA_CA_CERTS'],
    ['certificate has expired', 'CERT_HAS_EXPIRED', 'clock'],
    ['wrong version number', 'EPROTO', 'http://'],
  ])('is told with what helps: %s', (message, code, hint) => {
    expect(describeError(withCode(message, code))).toMatch(new RegExp(`^${message} \\(.*${hint}`));
  });

  it('is one line, without the file of its source', () => {
    const openssl =
      'write EPROTO 0078:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl/record/ssl3_record.c:355:\n';
    expect(describeError(withCode(openssl, 'EPROTO'))).toMatch(
      /^write EPROTO 0078:error:0A00010B:SSL routines:ssl3_get_record:wrong version number \(/,
    );
  });

  it('at several addresses is told for each', () => {
    const error = new AggregateError([
      withCode('connect ETIMEDOUT 10.9.0.1:443', 'ETIMEDOUT'),
      withCode('connect ENETUNREACH fd00::1:443', 'ENETUNREACH'),
    ]);
    expect(describeError(error)).toBe('connect ETIMEDOUT 10.9.0.1:443; connect ENETUNREACH fd00::1:443');
    expect(isAddressTimeout(error)).toBe(true);
    expect(isAddressTimeout(withCode('connect ETIMEDOUT 10.9.0.1:443', 'ETIMEDOUT'))).toBe(false);
  });

  it('may be anything', () => {
    expect(describeError('no')).toBe('no');
    expect(describeError(undefined)).toBe('undefined');
    expect(isAddressTimeout(undefined)).toBe(false);
  });
});
