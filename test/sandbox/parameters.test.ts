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

  const part = (disposition: string, content: string) =>
    `--x\r\ncontent-disposition:form-data;${disposition}\r\n\r\n${content}\r\n`;
  const upload = { 'content-type': 'multipart/form-data; boundary=x' };

  it.each([
    ['filename=s.bin', 's.bin'],
    ['filename="a \\"b\\".txt"', 'a "b".txt'],
    ['filename="a %22b%22.txt"', 'a "b".txt'],
    ['filename="grüß.txt"', 'grüß.txt'],
    ['filename="gr%C3%BC%c3%9f 100%.txt"', 'grüß 100%.txt'],
    ['filename=a file of grammY; size=7', 'a file of grammY'],
    ['FILENAME="no"; filename = "/in/a/folder\\\\or\\\\two/x.txt"', 'x.txt'],
  ])('take a file that is named as %s', async (written, fileName) => {
    const { sandbox, client } = await openTestSandbox();
    const body = `${part('name="chat_id"', '1')}${part('name="document"', 'attach://f')}${part(`name="f";${written}`, 'CONTENT')}--x--\r\n`;
    const answer = await client.send(`/bot${sandbox.token}/sendDocument`, { headers: upload, body });
    expect(JSON.parse(answer.body).result.document).toMatchObject({ file_name: fileName, file_size: 7 });
    expect(JSON.stringify(sandbox.calls())).not.toContain('CONTENT');
  });

  it.each([
    ['sendDocument', {}],
    ['getMe', {}],
    ['noSuchMethod', {}],
    ['sendDocument', { kind: 'error', status: 500 } as const],
  ])('keep no content of a file once the call is over: %s %j', async (method, fault) => {
    const { sandbox, client } = await openTestSandbox();
    if ('kind' in fault) sandbox.addFault(fault);
    const body = `${part('name="chat_id"', '1')}${part('name="document";filename="x.txt"', 'CONTENT')}--x--\r\n`;
    await client.send(`/bot${sandbox.token}/${method}`, { headers: upload, body });
    const document = sandbox.calls()[0]?.parameters['document'];
    expect(document).toMatchObject({ fileName: 'x.txt', size: 7 });
    expect(document).toHaveProperty('content', undefined);
  });

  it('take a file beside an empty parameter of its name', async () => {
    const { sandbox, client } = await openTestSandbox();
    const body = `${part('name="document";filename="x.txt"', 'x')}--x--\r\n`;
    const path = `/bot${sandbox.token}/sendDocument?chat_id=1&document=`;
    const answer = await client.send(path, { headers: upload, body });
    expect(JSON.parse(answer.body).result.document).toMatchObject({ file_name: 'x.txt', file_size: 1 });
  });

  it.each([
    ['boundary not found', { 'content-type': 'multipart/form-data' }, part('name="chat_id"', '1')],
    ['boundary value not found', { 'content-type': 'multipart/form-data; boundary' }, 'x'],
    ['boundary too big or empty', { 'content-type': 'multipart/form-data; boundary=' }, 'x'],
    ['the multipart body is cut off', upload, part('name="document";filename="x.txt"', 'x')],
    ['the multipart body is cut off', upload, '--x\r\ncontent-disposition:form-data;name="chat_id"'],
    ['the multipart body is cut off', upload, 'nonsense'],
    ['headers in multipart/form-data are empty', upload, '--x\r\n\r\nvalue\r\n--x--\r\n'],
    ["can't parse form data headers", upload, '--x\r\nnonsense\r\n\r\nvalue\r\n--x--\r\n'],
    ['field name in multipart/form-data not found', upload, `${part('filename="x"', 'x')}--x--`],
    ['unclosed quoted string in Content-Disposition header', upload, `${part('name="x\\"', 'x')}--x--`],
    ["expected ';' in Content-Disposition header", upload, `${part('name="x" y', 'x')}--x--`],
    [
      'expected form-data content disposition',
      upload,
      '--x\r\ncontent-disposition: attachment; name="x"\r\n\r\nx\r\n--x--',
    ],
  ])('are refused in a multipart body: %s', async (description, headers, body) => {
    const { sandbox, client } = await openTestSandbox();
    const answer = await client.send(`/bot${sandbox.token}/sendDocument`, { headers, body });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body).description).toBe(`Bad Request: ${description}`);
  });

  it.each([
    ['many parameters in a header', part(`name=x;${'a=b;'.repeat(66_000)}`, '')],
    ['a long value in a header', part(`name="${'x'.repeat(20_000_000)}"`, '')],
    ['the headers of many parts', part('name="x"', '').repeat(10_000)],
  ])('are refused as Telegram refuses %s', async (_of, parts) => {
    const { sandbox, client } = await openTestSandbox();
    const { body } = await client.send(`/bot${sandbox.token}/getMe`, {
      headers: upload,
      body: `${parts}--x--`,
    });
    expect(JSON.parse(body)).toMatchObject({
      error_code: 431,
      description: 'Request Header Fields Too Large: total headers size exceeded',
    });
  });

  it.each([
    ['many parameters in a header', `name=x;${'a=b;'.repeat(65_000)}`],
    ['a long value in a header', `name=x;a="${'\\"'.repeat(130_000)}"`],
  ])('may have %s below that', async (_with, disposition) => {
    const { sandbox, client } = await openTestSandbox();
    const body = `${part(disposition, 'value')}--x--`;
    const answer = await client.send(`/bot${sandbox.token}/getMe`, { headers: upload, body });
    expect(answer.status).toBe(200);
    expect(sandbox.calls()[0]?.parameters).toEqual({ x: 'value' });
  });

  it('are read from a multipart body with anything around its parts', async () => {
    const { sandbox, client } = await openTestSandbox();
    const parts = `${part('name="chat_id"', '5')}${part('name="text"', '')}`;
    const text =
      '--x\r\nX-Other: 1\r\nContent-Disposition: form-data;\r\n\tname=text\r\n\r\nin\r\n--\r\nlines';
    const body = `prologue\r\n${parts}${text}\r\n--x--\r\nepilogue`;
    const headers = { 'content-type': 'Multipart/Form-Data; charset=utf-8; boundary="x"' };
    const answer = await client.send(`/bot${sandbox.token}/sendMessage`, { headers, body });
    expect(JSON.parse(answer.body).result).toMatchObject({ chat: { id: 5 }, text: 'in\n--\nlines' });
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
