import { expect, it } from '@jest/globals';
import { exitRequest, isExitRequest } from '../../../src/telegraf/takeover/exit-request.js';

it('is told from any other thrown value, however hostile', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect([exitRequest(0), new Error(), undefined, proxy].map(isExitRequest)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
