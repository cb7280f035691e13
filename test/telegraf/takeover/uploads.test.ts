import { createRequire } from 'node:module';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';
import { mendSandwichStream } from '../../../src/telegraf/takeover/uploads.js';

interface Sandwich extends Readable {
  add(part: Readable): Sandwich;
}
type SandwichClass = new (options: object) => Sandwich;

const sandwichStream: { SandwichStream: SandwichClass } = createRequire(import.meta.url)('sandwich-stream');

it('sends all that a part has buffered, part by part', async () => {
  mendSandwichStream(sandwichStream);
  const part = new PassThrough();
  for (const line of ['name: ', 'a', '\n']) part.write(line);
  part.end('content');
  const late = new PassThrough();
  setImmediate(() => late.end('of a file'));
  const slices = new sandwichStream.SandwichStream({ head: '<', separator: '|', tail: '>' });
  slices
    .add(part)
    .add(late)
    .add(Readable.from(['in ', 'pieces']));
  expect(await text(slices)).toBe('<name: a\ncontent|of a file|in pieces>');
});

it.each([
  ['nothing', undefined],
  ['a getter', Object.defineProperty({}, 'SandwichStream', { get: () => expect(true).toBe(false) })],
  ['a proxy', new Proxy({}, { getOwnPropertyDescriptor: () => expect(true).toBe(false) as never })],
  ['something else of that name', { SandwichStream: class {} }],
])('leaves other modules alone (%s)', (_, exports) => {
  expect(() => mendSandwichStream(exports)).not.toThrow();
});
