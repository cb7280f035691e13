import { describe, expect, it } from '@jest/globals';
import { Files } from '../../../src/sandbox/state/files.js';
import { Upload } from '../../../src/sandbox/upload.js';

const NO_CONTENT = 'The sandbox has no content for this file.\n';

/** Adds a file, and returns the path of its content. */
const add = (files: Files, content: Buffer): string =>
  files.find(files.add('document', new Upload('x.bin', content)))?.path ?? '';

describe('the files of a bot', () => {
  it('keep no more in memory than their own bytes, whatever body they came in', () => {
    const files = new Files();
    const body = Buffer.alloc(1_000_000, 'body');
    const path = add(files, body.subarray(500, 504));
    expect(files.content(path)?.toString()).toBe('body');
    expect(files.content(path)?.buffer.byteLength).toBe(4);
  });

  it('are not copied where they make up most of the body', () => {
    const files = new Files();
    const body = Buffer.alloc(1_000_000);
    const path = add(files, body.subarray(100));
    expect(files.content(path)?.buffer).toBe(body.buffer);
  });

  it('lose the oldest contents above 100 MB', () => {
    const files = new Files();
    const body = Buffer.alloc(40_000_000);
    const paths = [1, 2, 3].map(() => add(files, body));
    expect(paths.map((path) => files.content(path)?.length)).toEqual([
      NO_CONTENT.length,
      body.length,
      body.length,
    ]);
  });
});
