import { describe, expect, it } from '@jest/globals';
import type { ApiAnswer } from '../../../src/polling/bot-api.js';
import { type Handler, html, json, SECRET, serve, TOKEN } from './server.js';

describe('an answer', () => {
  it('of each method is parsed', async () => {
    const results: Record<string, unknown> = {
      getMe: { id: 1, is_bot: true, first_name: 'B', username: 'bot' },
      getWebhookInfo: { url: 'https://x.example', pending_update_count: 3, has_custom_certificate: false },
      deleteWebhook: true,
      getUpdates: [{ update_id: 7, message: {} }],
    };
    const t = await serve((response, request) =>
      json({ ok: true, result: results[request.url.split('/').at(-1) ?? ''] })(response, request),
    );
    expect(await t.api.getMe(t.options)).toEqual({ kind: 'ok', result: results['getMe'] });
    expect(await t.api.getWebhookInfo(t.options)).toEqual({
      kind: 'ok',
      result: { url: 'https://x.example', pendingUpdateCount: 3 },
    });
    expect(await t.api.deleteWebhook({ dropPending: true }, t.options)).toEqual({ kind: 'ok', result: true });
    expect(JSON.parse(t.received.at(-1)?.body ?? '')).toEqual({ drop_pending_updates: true });
    expect(await t.poll()).toEqual({ kind: 'ok', result: results['getUpdates'] });
  });

  it.each<[string, Handler, ApiAnswer<unknown>]>([
    [
      'a refusal',
      json({ ok: false, error_code: 401, description: 'Unauthorized' }, 401),
      { kind: 'refused', errorCode: 401, description: 'Unauthorized' },
    ],
    [
      'a refusal for a time',
      json({ ok: false, error_code: 429, description: 'Slow', parameters: { retry_after: 17 } }, 429),
      { kind: 'refused', errorCode: 429, description: 'Slow', retryAfterSeconds: 17 },
    ],
    [
      'a refusal that quotes the token',
      json({ ok: false, error_code: 400, description: `Bad token ${TOKEN}` }, 400),
      { kind: 'refused', errorCode: 400, description: 'Bad token <token>' },
    ],
    ['HTML with 502', html(502), { kind: 'unreachable', why: 'http', detail: 'HTTP 502 Bad Gateway' }],
    [
      'Bot API JSON with 502',
      json({ ok: false, error_code: 502, description: 'Bad Gateway' }, 502),
      { kind: 'unreachable', why: 'http', detail: 'HTTP 502 Bad Gateway' },
    ],
    [
      'Bot API JSON that means 500',
      json({ ok: false, error_code: 500, description: 'Internal Server Error: restart' }),
      { kind: 'unreachable', why: 'http', detail: '500 Internal Server Error: restart' },
    ],
    [
      'HTML with 404',
      html(404),
      {
        kind: 'unreachable',
        why: 'http',
        detail: 'HTTP 404 Not Found, 66 characters of text/html that are no Bot API answer',
      },
    ],
    [
      'HTML with 200',
      html(200),
      {
        kind: 'unreachable',
        why: 'not-json',
        detail: 'HTTP 200 OK, 66 characters of text/html that are no Bot API answer',
      },
    ],
    [
      'a redirect',
      (response) =>
        response
          .writeHead(302, { location: `https://user:pass@portal.example/login?from=/bot${TOKEN}/getMe` })
          .end(),
      {
        kind: 'unreachable',
        why: 'http',
        detail: 'HTTP 302 Found, a redirect to https://portal.example/…',
      },
    ],
    [
      'a redirect within the server',
      (response) => response.writeHead(301, { location: `/bot${TOKEN}/getMe` }).end(),
      {
        kind: 'unreachable',
        why: 'http',
        detail: 'HTTP 301 Moved Permanently, a redirect to /bot<token>/getMe',
      },
    ],
  ])('%s', async (_, handler, expected) => {
    const t = await serve(handler);
    const answer = await t.poll();
    expect(answer).toEqual(expected);
    expect(JSON.stringify(answer)).not.toContain(SECRET);
  });

  it.each<[string, unknown]>([
    ['no JSON', undefined],
    ['a JSON list', []],
    ['null', null],
    ['JSON of another service', { status: 'ok' }],
    ['a refusal without a code', { ok: false, description: 'no' }],
    ['no result', { ok: true }],
    ['a result of another method', { ok: true, result: {} }],
  ])('that is no Bot API answer does not count as one: %s', async (_, body) => {
    const t = await serve(json(body));
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why: 'not-json' });
  });
});
