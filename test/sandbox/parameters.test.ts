import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from './test-sandbox.js';

describe('parameters', () => {
  const sent = { chat_id: 5, text: 'grüß dich & co' };

  it('are read from the query string of a GET', async () => {
    const { sandbox, client } = await openTestSandbox();
    const { body } = await client.send(
      `/bot${sandbox.token}/sendMessage?chat_id=5&text=gr%C3%BC%C3%9F+dich+%26+co`,
      { method: 'GET' },
    );
    expect(JSON.parse(body).result).toMatchObject({ chat: { id: 5 }, text: sent.text });
  });

  it('are read from a form', async () => {
    const { sandbox, client } = await openTestSandbox();
    const { body } = await client.send(`/bot${sandbox.token}/sendMessage`, {
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: new URLSearchParams({ chat_id: '5', text: sent.text }).toString(),
    });
    expect(JSON.parse(body).result).toMatchObject({ chat: { id: 5 }, text: sent.text });
  });

  it('are read from JSON', async () => {
    const { call } = await openTestSandbox();
    expect((await call('sendMessage', sent)).result).toMatchObject({ chat: { id: 5 }, text: sent.text });
  });

  it('are read from a multipart body, including files', async () => {
    const { sandbox, client } = await openTestSandbox();
    const form = new FormData();
    form.set('method', 'sendDocument');
    form.set('chat_id', '5');
    form.set('caption', sent.text);
    form.set('document', new Blob([new Uint8Array([0, 13, 10, 255])]), 'raw.bin');
    const asRequest = new Request('http://form', { method: 'POST', body: form });
    const answer = await client.send(`/bot${sandbox.token}/sendDocument`, {
      headers: { 'content-type': asRequest.headers.get('content-type') ?? '' },
      body: Buffer.from(await asRequest.arrayBuffer()),
    });
    expect(JSON.parse(answer.body).result).toMatchObject({
      caption: sent.text,
      document: { file_name: 'raw.bin', file_size: 4 },
    });
    expect(sandbox.calls()[0]?.parameters).toMatchObject({ document: { fileName: 'raw.bin', size: 4 } });
  });

  it('are refused if they are not valid JSON', async () => {
    const { sandbox, client } = await openTestSandbox();
    const { status } = await client.send(`/bot${sandbox.token}/getMe`, {
      headers: { 'content-type': 'application/json' },
      body: '{nonsense',
    });
    expect(status).toBe(400);
  });
});
