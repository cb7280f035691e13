import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type ApiCallOptions, callApi } from '../../../src/cli/doctor/api-call.js';
import { createAuthority } from '../../support/certificates.js';
import { closeHttpApis, startHttpApi } from '../../support/http-api.js';
import { startTlsFront } from '../../support/tls-front.js';
import { newToken } from '../../support/token.js';

const token = newToken();
const call = (apiRoot: string, options: Partial<ApiCallOptions> = {}) =>
  callApi({ apiRoot, token, method: 'getMe', signal: AbortSignal.timeout(5_000), ...options });

afterEach(closeHttpApis);

describe('a call to the Bot API', () => {
  it('tells the result, the times, and how far the clocks are apart', async () => {
    const { apiRoot, received } = await startHttpApi((response) => {
      response.setHeader('date', new Date(Date.now() + 60_000).toUTCString());
      response.end('{"ok":true,"result":{"id":1}}');
    });
    const made = await call(apiRoot, { parameters: { offset: 1 } });
    expect(made).toMatchObject({ answer: { kind: 'ok', result: { id: 1 } }, certificateUntilMs: undefined });
    expect(Math.abs((made.aheadMs ?? 0) - 60_000)).toBeLessThan(2_000);
    expect(made.connectMs).toBeLessThanOrEqual(made.tookMs);
    expect(received).toMatchObject([{ url: `/bot${token}/getMe`, body: '{"offset":1}' }]);
  });

  it('asks for the root of the server without a token', async () => {
    const { apiRoot, received } = await startHttpApi((response) => response.end('<html>'));
    expect((await call(apiRoot, { token: undefined })).answer).toEqual({ kind: 'ok', result: undefined });
    expect(received).toMatchObject([{ method: 'GET', url: '/' }]);
  });

  it('tells a refusal, and what is no Bot API', async () => {
    const answers = ['{"ok":false,"error_code":401,"description":"Unauthorized"}', '<html>'];
    const { apiRoot } = await startHttpApi((response) => response.end(answers.shift()));
    expect((await call(apiRoot)).answer).toMatchObject({ kind: 'refused', errorCode: 401 });
    expect(await call(apiRoot)).toMatchObject({ answer: { why: 'not-json' }, code: undefined });
  });

  it('tells why there is no answer', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const root = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const overdue = await call(root, { signal: AbortSignal.timeout(100) });
    expect(overdue).toMatchObject({
      answer: { why: 'timeout' },
      code: 'ABORT_ERR',
      connectMs: expect.any(Number),
    });
    silent.close();
    expect(await call('http://127.0.0.1:1')).toMatchObject({ code: 'ECONNREFUSED', connectMs: undefined });
  });

  it('does not trust a certificate that a stranger has signed', async () => {
    using authority = createAuthority();
    await using front = await startTlsFront(authority.issue());
    const made = await call(`https://localhost:${front.port}`, { family: 4 });
    expect(made).toMatchObject({
      answer: { kind: 'unreachable' },
      code: expect.stringMatching(/CERT|SIGNATURE/),
    });
    expect(JSON.stringify(made)).not.toContain(token);
  });
});
