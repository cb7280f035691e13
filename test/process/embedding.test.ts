/** A program that embeds lastcall, as a process: nobody ends it but itself, once nothing keeps it alive. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { type Daemon, fixture, spawnDaemon } from '../support/daemon.js';
import { openSandbox } from '../support/delivery.js';
import { idle } from '../support/stopping.js';

const embed = (
  { apiRoot, token }: Sandbox,
  env: Readonly<Record<string, string>> = {},
  program = 'main.mjs',
): Daemon =>
  spawnDaemon({
    file: fixture('embedding', program),
    args: [],
    env: { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, ...env },
  });

const outcomeOf = (daemon: Daemon) => daemon.lines.find(({ event }) => event === 'lifecycle.stopped');

/** No connection, no timer, no listener of lastcall's. */
const nothingLeft = { event: 'over', open: [], listeners: [] };

describe('a program that embeds lastcall', () => {
  it('ends by itself after a clean stop by a signal', async () => {
    await using sandbox = await openSandbox();
    await using daemon = embed(sandbox);
    expect((await sandbox.ask('hello')).answers).toMatchObject([{ text: 'echo hello' }]);
    await idle(sandbox);
    const { code, signal, tookMs } = await daemon.stop('SIGTERM');
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(tookMs).toBeLessThan(1_000);
    expect(outcomeOf(daemon)).toMatchObject({ reason: 'SIGTERM', outcome: 'clean', exitCode: 0 });
    expect(daemon.lines.at(-1)).toMatchObject(nothingLeft);
  });

  it('has nothing left running when AbortSignal.timeout was handed to run()', async () => {
    await using sandbox = await openSandbox();
    await using daemon = embed(sandbox, { RUN_MS: '700' });
    await sandbox.ask('hello');
    expect(await daemon.end()).toMatchObject({ code: 0, signal: null });
    expect(outcomeOf(daemon)).toMatchObject({ reasonKind: 'aborted', outcome: 'clean', exitCode: 0 });
    expect(daemon.lines.at(-1)).toMatchObject(nothingLeft);
    expect(sandbox.state()).toMatchObject({ waitingPolls: 0, queued: 0 });
  });

  it('ends by itself with 78 when the token is refused', async () => {
    await using sandbox = await openSandbox();
    sandbox.addFault({ kind: 'revoked' });
    await using daemon = embed(sandbox);
    expect(await daemon.end()).toMatchObject({ code: 78, signal: null });
    expect(outcomeOf(daemon)).toMatchObject({ exitCode: 78, err: { code: 'TOKEN_REFUSED' } });
    expect(daemon.lines.at(-1)).toMatchObject(nothingLeft);
  });

  it('is ended at once by a third signal, with a receipt', async () => {
    await using sandbox = await openSandbox();
    await using daemon = embed(sandbox, { HUNG_HOOK: 'yes' });
    await idle(sandbox);
    const from = performance.now();
    daemon.kill('SIGTERM');
    await daemon.waitFor('lifecycle.stopping');
    daemon.kill('SIGINT');
    await daemon.waitFor('lifecycle.hastened');
    // The same signal counts once within 500 ms; the hook that hangs has a second.
    await sleep(from + 510 - performance.now());
    expect(await daemon.stop('SIGTERM')).toMatchObject({ code: 143, signal: null });
    expect(outcomeOf(daemon)).toMatchObject({ reason: 'SIGTERM', outcome: 'cut', exitCode: 143 });
    expect(daemon.lines.at(-1)?.event).toBe('lifecycle.stopped');
  });
});

describe.each(['pino', 'console', 'failing', 'rejecting'])('a log (%s)', (log) => {
  it('ends neither the run nor the program, whatever handlers throw', async () => {
    await using sandbox = await openSandbox();
    await using daemon = embed(sandbox, { LOG: log }, 'throws-anything.mjs');
    const thrown = ['circular', 'bigint', 'range', 'nothing'];
    for (const [index, text] of thrown.entries()) sandbox.say({ chat: index + 1, text });
    expect((await sandbox.ask('good')).answers).toMatchObject([{ text: 'echo good' }]);
    await idle(sandbox);
    expect(await daemon.stop('SIGTERM')).toMatchObject({ code: 0, signal: null });
    // Confirmed, since each is a dead letter.
    expect(sandbox.state().queued).toBe(0);
    if (log === 'pino') {
      expect(outcomeOf(daemon)).toMatchObject({ counts: { handled: 1, failed: 4, left: 0 } });
      const failed = daemon.lines.filter(({ event }) => event === 'handler.failed');
      expect(failed.map(({ err }) => err)).toEqual([
        expect.objectContaining({ type: 'object', message: '{"self":"[circular]"}' }),
        expect.objectContaining({ type: 'bigint', message: '1' }),
        expect.objectContaining({
          type: 'RangeError',
          message: 'out of range',
          stack: expect.stringContaining('throws-anything.mjs'),
        }),
        expect.objectContaining({ type: 'undefined', message: 'undefined' }),
      ]);
    }
    if (log === 'console') {
      expect(daemon.output).toMatch(/^opened { rows: 3 }$/m);
      expect(daemon.output).toMatch(/^} RangeError: out of range\n {4}at .*throws-anything\.mjs/m);
      expect(daemon.output).toMatch(/^Stopped cleanly \(SIGTERM\), exit code 0;.* 4 failed/m);
    }
  });
});
