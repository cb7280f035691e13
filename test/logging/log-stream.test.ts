import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { LogStream, type LogStreamOptions, type Output } from '../../src/logging/log-stream.js';
import { FakeClock, settle } from '../support/fake-clock.js';

/** A pipe that holds what it is given until its reader reads. */
class Pipe extends EventEmitter implements Output {
  readonly waiting: { readonly chunk: string; readonly taken: () => void }[] = [];
  read = '';
  writes = 0;
  destroyed = false;

  get writableLength(): number {
    return this.waiting.reduce((total, { chunk }) => total + chunk.length, 0);
  }

  write(chunk: string, _encoding: BufferEncoding, taken: () => void): boolean {
    this.writes++;
    this.waiting.push({ chunk, taken });
    return false;
  }

  /** The reader takes the next lines. */
  take(lines = this.waiting.length): void {
    for (const { chunk, taken } of this.waiting.splice(0, lines)) {
      this.read += chunk;
      taken();
    }
  }

  /** As Node does it when the reader is gone. */
  fail(code: string): void {
    const [first, ...rest] = this.waiting.splice(0);
    first?.taken();
    this.destroyed = true;
    this.emit('error', Object.assign(new Error(code), { code }));
    for (const { taken } of rest) taken();
  }
}

function open(options: Partial<LogStreamOptions> = {}) {
  const pipe = new Pipe();
  const clock = new FakeClock();
  const dropped: number[] = [];
  const stream = new LogStream(pipe, { clock, dropped: (lines) => void dropped.push(lines), ...options });
  const flushed = (withinMs?: number) => {
    let done = false;
    void stream.flush(withinMs).then(() => {
      done = true;
    });
    return async () => {
      await settle();
      return done;
    };
  };
  return { pipe, clock, dropped, stream, flushed };
}

describe('a stream whose reader is gone', () => {
  it('is broken until a line is taken again', () => {
    const errors: (Error | null)[] = [new Error('EPIPE'), null];
    const output: Output = { write: (_chunk, _encoding, taken) => taken(errors.shift()), on: () => {} };
    const stream = new LogStream(output, { dropped() {} });
    expect(stream.isBroken).toBe(false);
    stream.write('a\n');
    expect(stream.isBroken).toBe(true);
    stream.write('b\n');
    expect(stream.isBroken).toBe(false);
  });
});

describe('flush', () => {
  it('is done at once when there is nothing to wait for', async () => {
    const { stream, pipe, clock } = open();
    await stream.flush();
    stream.write('a\n');
    pipe.take();
    await stream.flush();
    expect(clock.pending).toBe(0);
  });

  it('has nothing to do for a process that ends at once if no line waits for its reader', () => {
    const { stream, pipe } = open();
    expect(stream.isWritten).toBe(true);
    stream.write('a\n');
    expect(stream.isWritten).toBe(false);
    pipe.take();
    expect(stream.isWritten).toBe(true);
    stream.write('b\n');
    pipe.destroyed = true;
    expect(stream.isWritten).toBe(true);
  });

  it('waits until the last line is taken', async () => {
    const { stream, pipe, clock, flushed } = open();
    stream.write('a\n');
    stream.write('b\n');
    const done = flushed();
    const alsoDone = flushed();
    pipe.take(1);
    expect(await done()).toBe(false);
    stream.write('c\n');
    pipe.take(1);
    expect(await done()).toBe(false);
    pipe.take();
    expect([await done(), await alsoDone()]).toEqual([true, true]);
    expect(pipe.read).toBe('a\nb\nc\n');
    expect(clock.pending).toBe(0);
  });

  it('waits no longer than a second for a reader that is stuck', async () => {
    const { stream, clock, flushed } = open();
    stream.write('a\n');
    const done = flushed();
    await clock.advance(999);
    expect(await done()).toBe(false);
    await clock.advance(1);
    expect(await done()).toBe(true);
  });

  it('waits no longer than it may', async () => {
    const { stream, clock, flushed } = open();
    stream.write('a\n');
    const done = flushed(100);
    await clock.advance(99);
    expect(await done()).toBe(false);
    await clock.advance(1);
    expect(await done()).toBe(true);
  });

  it('ends when the reader goes', async () => {
    const { stream, pipe, clock, flushed } = open();
    stream.write('a\n');
    stream.write('b\n');
    const done = flushed();
    pipe.fail('EPIPE');
    expect(await done()).toBe(true);
    await stream.flush();
    expect(clock.pending).toBe(0);
  });

  it('is not delayed without limit by a line that was never called back', async () => {
    const { stream, pipe, flushed } = open();
    stream.write('lost\n');
    pipe.waiting.pop();
    stream.write('last\n');
    const done = flushed();
    pipe.take();
    expect(await done()).toBe(true);
  });
});

describe('a stream that has failed', () => {
  it('is written to no more, and its error ends nothing', () => {
    const { stream, pipe } = open();
    stream.write('a\n');
    expect(() => pipe.fail('EPIPE')).not.toThrow();
    expect(() => pipe.emit('error', new Error('EIO'))).not.toThrow();
    stream.write('b\n');
    expect(pipe.writes).toBe(1);
  });

  it('may throw', async () => {
    const { stream, pipe } = open();
    pipe.write = () => {
      throw new Error('broken');
    };
    expect(() => stream.write('a\n')).not.toThrow();
    await stream.flush();
  });
});

describe('a reader that is stuck', () => {
  it('makes lines be dropped once too many wait; when it reads again, it is told how many', () => {
    const { stream, pipe, dropped } = open({ limitBytes: 10 });
    for (const line of ['one\n', 'two\n', 'three\n', 'four\n', 'five\n']) stream.write(line);
    expect(pipe.waiting.map(({ chunk }) => chunk)).toEqual(['one\n', 'two\n', 'three\n']);
    pipe.take(1);
    expect(dropped).toEqual([]);
    pipe.take(2);
    expect(dropped).toEqual([2]);
    stream.write('six\n');
    pipe.take();
    expect(pipe.read).toBe('one\ntwo\nthree\nsix\n');
    expect(dropped).toEqual([2]);
  });
});
