import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readTextFile } from '../../src/config/read-text-file.js';
import { codeOf } from '../../src/system-error.js';
import { FakeClock } from '../support/fake-clock.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastcall-read-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function pipe(name: string): string {
  const path = join(folder, name);
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  return path;
}

describe('readTextFile', () => {
  it('reads a file', async () => {
    const path = join(folder, 'plain');
    writeFileSync(path, 'BOT_TOKEN=1:ä\n');
    expect(await readTextFile(path)).toBe('BOT_TOKEN=1:ä\n');
  });

  it.each([
    ['little', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['big', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  ])('reads a file in UTF-16 with a byte order mark, %s end first', async (name, encode) => {
    const path = join(folder, name);
    writeFileSync(path, encode('BOT_TOKEN=1:ä\r\n'));
    expect(await readTextFile(path)).toBe('BOT_TOKEN=1:ä\r\n');
  });

  it('refuses what is no text in UTF-8', async () => {
    const path = join(folder, 'unmarked');
    writeFileSync(path, Buffer.from('BOT_TOKEN=1:a', 'utf16le'));
    expect(await readTextFile(path).catch(codeOf)).toBe('EILSEQ');
  });

  it('says what the file system says', async () => {
    const codes = [join(folder, 'none'), folder].map((path) => readTextFile(path).catch(codeOf));
    expect(await Promise.all(codes)).toEqual(['ENOENT', 'EISDIR']);
  });

  it('reads all that is written into a pipe', async () => {
    const path = pipe('served');
    const text = 'ü'.repeat(200_000);
    const reading = readTextFile(path);
    const writer = await open(path, 'w');
    await writer.write(text.slice(0, 99_999));
    await writer.write(text.slice(99_999));
    await writer.close();
    expect(await reading).toBe(text);
  });

  it('waits for a pipe no longer than the signal lets it', async () => {
    const controller = new AbortController();
    const reading = readTextFile(pipe('stopped'), controller.signal);
    controller.abort('SIGTERM');
    await expect(reading).rejects.toBe('SIGTERM');
    await expect(readTextFile(folder, controller.signal)).rejects.toBe('SIGTERM');
  });

  it('gives up a pipe that nobody has written into for a minute', async () => {
    const clock = new FakeClock();
    let ended: unknown;
    const reading = readTextFile(pipe('silent'), undefined, clock).catch((error: unknown) => {
      ended = codeOf(error);
    });
    // A look is a real read of the pipe, so time is stepped one look at a time.
    for (let look = 0; look < 10_000 && ended === undefined; look++) await clock.advance(20);
    await reading;
    expect(ended).toBe('ETIMEDOUT');
    expect(clock.now()).toBeGreaterThanOrEqual(60_000);
    expect(clock.pending).toBe(0);
  });
});
