/** The log of a real process, whatever is at the other end of its stdout. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

const writer = join(import.meta.dirname, '..', 'fixtures', 'logging', 'writer.js');
// Only a failing test takes that long.
jest.setTimeout(20_000);

let folder: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastcall-log-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

type Stdio = 'pipe' | 'ignore' | number;

function start(env: Record<string, string>, stdout: Stdio = 'pipe', stdin: Stdio = 'ignore'): ChildProcess {
  child = spawn(process.execPath, [writer], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: [stdin, stdout, 'pipe'],
  });
  return child;
}

async function exitOf(process: ChildProcess): Promise<unknown> {
  if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
  return process.exitCode ?? process.signalCode;
}

/** Collects what a stream says, and tells when it says something in particular. */
function listen(stream: NodeJS.ReadableStream | null) {
  const heard = { text: '', until: (_words: string): Promise<void> => Promise.resolve() };
  if (!stream) throw new Error('nothing to listen to');
  stream.setEncoding('utf8');
  heard.until = async (words) => {
    while (!heard.text.includes(words)) await Promise.race([once(stream, 'data'), once(stream, 'end')]);
  };
  stream.on('data', (chunk: string) => {
    heard.text += chunk;
  });
  return heard;
}

const messages = (text: string): unknown[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line): Record<string, unknown> => JSON.parse(line))
    .map(({ msg, number }) => number ?? msg);

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('the last line', () => {
  it('arrives through a pipe that is only read once the process wants to exit', async () => {
    const process = start({ COUNT: '2000', BYTES: '500' });
    const stderr = listen(process.stderr);
    await stderr.until('waiting');
    expect(Number(/waiting (\d+)/.exec(stderr.text)?.[1])).toBeGreaterThan(500_000);
    const stdout = listen(process.stdout);
    expect(await exitOf(process)).toBe(7);
    if (process.stdout && !process.stdout.readableEnded) await once(process.stdout, 'end');
    expect(messages(stdout.text)).toEqual(['first', ...numbers(2000), 'last']);
  });

  it('is in the file that stdout was sent to', async () => {
    const path = join(folder, 'log');
    const file = openSync(path, 'w');
    const process = start({ COUNT: '2000', BYTES: '500' }, file);
    closeSync(file);
    expect(await exitOf(process)).toBe(7);
    expect(messages(readFileSync(path, 'utf8'))).toEqual(['first', ...numbers(2000), 'last']);
  });

  it('is on the terminal, in words for people', async () => {
    // A terminal of its own, from util-linux; it gives the exit code of what runs in it.
    const command = `"${process.execPath}" "${writer}"`;
    child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      env: { PATH: process.env['PATH'] ?? '', COUNT: '300', TERM: 'xterm' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stdout = listen(child.stdout);
    expect(await exitOf(child)).toBe(7);
    if (child.stdout && !child.stdout.readableEnded) await once(child.stdout, 'end');
    const last = stdout.text.split('\n').findLast((line) => line.includes('INFO'));
    expect(last).toContain('last');
    expect(stdout.text).toContain('line\u001b[2m number=300');
    expect(stdout.text).not.toContain('{"level"');
  });
});

describe('a reader', () => {
  it('that goes away, stdout and stderr alike, neither ends nor delays the process', async () => {
    const process = start({ COUNT: '2000', BYTES: '500', WAIT: 'line' }, 'pipe', 'pipe');
    await listen(process.stdout).until('first');
    process.stdout?.destroy();
    process.stderr?.destroy();
    const from = performance.now();
    process.stdin?.end('go\n');
    expect(await exitOf(process)).toBe(7);
    expect(performance.now() - from).toBeLessThan(2_000);
  });

  it('that is stuck for ever costs a second, and no more memory than the limit', async () => {
    const process = start({ COUNT: '30000', BYTES: '1000' });
    const stderr = listen(process.stderr);
    expect(await exitOf(process)).toBe(7);
    await stderr.until('flushed');
    const waiting = Number(/waiting (\d+)/.exec(stderr.text)?.[1]);
    expect(waiting).toBeGreaterThan(16 * 1024 * 1024);
    expect(waiting).toBeLessThan(17 * 1024 * 1024);
    const tookMs = Number(/flushed after (\d+) ms/.exec(stderr.text)?.[1]);
    expect(tookMs).toBeGreaterThanOrEqual(990);
    expect(tookMs).toBeLessThan(2_500);
  });

  it('that comes back is told how many lines it has missed', async () => {
    const process = start({ COUNT: '20000', BYTES: '1000' });
    await listen(process.stderr).until('waiting');
    const stdout = listen(process.stdout);
    expect(await exitOf(process)).toBe(7);
    if (process.stdout && !process.stdout.readableEnded) await once(process.stdout, 'end');
    const dropped = /"lines":(\d+),"msg":"\d+ log lines dropped/.exec(stdout.text)?.[1];
    const arrived = messages(stdout.text).filter((message) => typeof message === 'number');
    expect(arrived).toEqual(numbers(arrived.length));
    // The line that says "last" is among them.
    expect(arrived.length + Number(dropped)).toBe(20_000 + 1);
  });
});
