import { expect, it } from '@jest/globals';
import { Bot, InputFile } from 'grammy';
import { openTestSandbox } from './test-sandbox.js';

it('takes the uploads of grammY, which writes file names without quotes', async () => {
  const { sandbox } = await openTestSandbox();
  const { api } = new Bot(sandbox.token, { client: { apiRoot: sandbox.apiRoot } });
  const file = new InputFile(Buffer.from('CONTENT'), 's.bin');
  const { document, caption } = await api.sendDocument(1, file, { caption: 'look' });
  expect(document).toMatchObject({ file_name: 's.bin', file_size: 7 });
  expect(caption).toBe('look');
});
