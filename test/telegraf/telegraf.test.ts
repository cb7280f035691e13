import { expect, it } from '@jest/globals';
import { createBot } from '../../src/telegraf/telegraf.js';

it('links files below the path of the API root', async () => {
  const { telegram } = await createBot('4711:token', 'https://example.org/tg/');
  const file = { file_id: 'a', file_unique_id: 'a', file_path: 'photos/1.jpg' };
  expect((await telegram.getFileLink(file)).href).toBe(
    'https://example.org/tg/file/bot4711:token/photos/1.jpg',
  );
});
