import { describe, expect, it } from '@jest/globals';
import { errorTable } from '../../src/errors.js';
import { classify, failurePolicies, fatalError } from '../../src/polling/failure.js';
import { conflict, refused, unreachable, webhookConflict } from './scripted-bot-api.js';

describe('classes of failure', () => {
  it.each([
    ['no connection', unreachable, { class: 'unreachable', detail: 'network: connect ECONNREFUSED' }],
    [
      'an HTML body',
      { kind: 'unreachable', why: 'not-json', detail: 'text/html' } as const,
      { class: 'unreachable', detail: 'not-json: text/html' },
    ],
    ['5xx as JSON', refused(502, 'Bad Gateway'), { class: 'unreachable', detail: '502 Bad Gateway' }],
    ['429', refused(429, 'Too Many Requests', 7), { class: 'rate-limited', retryAfterSeconds: 7 }],
    ['429 without a time', refused(429, 'Too Many Requests'), { retryAfterSeconds: 1 }],
    ['429 with no time at all', refused(429, 'Too Many Requests', 0), { retryAfterSeconds: 1 }],
    ['409 by another poller', conflict, { class: 'conflict', by: 'poller' }],
    ['409 by a webhook', webhookConflict, { class: 'conflict', by: 'webhook' }],
    [
      '409 by setWebhook',
      refused(409, 'Conflict: terminated by setWebhook request'),
      { class: 'conflict', by: 'webhook' },
    ],
    ['401', refused(401, 'Unauthorized'), { class: 'token-refused', detail: '401 Unauthorized' }],
    ['404', refused(404, 'Not Found'), { class: 'token-refused' }],
    ['400', refused(400, 'Logged out'), { class: 'rejected', detail: '400 Logged out' }],
    ['403', refused(403, 'Forbidden'), { class: 'rejected' }],
  ])('%s', (_, answer, failure) => {
    expect(classify(answer)).toMatchObject(failure);
  });
});

describe('the table of failures', () => {
  it('says when and with which exit code each class ends the run', () => {
    const limits = Object.entries(failurePolicies(120_000)).map(([name, { patience }]) => [
      name,
      patience && [patience.untilValidMs ?? patience.ms, patience.ms, errorTable[patience.code].exitCode],
    ]);
    expect(Object.fromEntries(limits)).toEqual({
      unreachable: undefined,
      'rate-limited': undefined,
      conflict: [120_000, 120_000, 75],
      'token-refused': [0, 60_000, 78],
      rejected: [120_000, 120_000, 70],
    });
  });

  it('names in the error who is to blame, for how long, and what Telegram said', () => {
    const error = fatalError(classify(conflict), 'POLL_CONFLICT', 120_000);
    expect(error).toMatchObject({ code: 'POLL_CONFLICT', culprit: 'another poller', exitCode: 75 });
    expect(error.message).toMatch(/Another program .* for 120 s: 409 Conflict: terminated by other/);
    expect(fatalError(classify(refused(401, 'Unauthorized')), 'TOKEN_REFUSED', 0).message).toBe(
      'Telegram has refused the token: 401 Unauthorized',
    );
  });
});
