import type { Output } from '../../src/logging/log-stream.js';

/** A stream that takes everything at once, and calls back before `write` returns. */
export class MemoryOutput implements Output {
  text = '';
  isTTY = false;

  write(chunk: string, _encoding: BufferEncoding, taken: () => void): boolean {
    this.text += chunk;
    taken();
    return true;
  }

  on(): this {
    return this;
  }

  get lines(): Record<string, unknown>[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line): Record<string, unknown> => JSON.parse(line));
  }
}
