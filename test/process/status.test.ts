/** The status socket of the built program, and `lastcall log`; `observed.test.ts` holds the figures to the truth. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { spawnDaemon } from '../support/daemon.js';
import { allAnswered, openSandbox, runBot } from '../support/delivery.js';
import { botFolder, reportWhen, status } from '../support/status.js';
import { idle } from '../support/stopping.js';

jest.setTimeout(60_000);

describe('lastcall status', () => {
  it('is answered in a folder with a long name, to its user alone, and the run goes on where it cannot be', async () => {
    await using bed = await openSandbox();
    const stateDir = join(bed.stateDir, 'a'.repeat(100));
    await using daemon = runBot(bed, 'echo', { env: { STATE_DIR: stateDir } });
    const { bot } = await reportWhen(stateDir, ({ polling }) => polling.state === 'polling');
    const socket = join(botFolder(stateDir), 'status.sock');
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect((await status(stateDir, '--json', `--bot=${bot}`)).code).toBe(0);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(() => statSync(socket)).toThrow('ENOENT');

    mkdirSync(join(socket, 'in-the-way'), { recursive: true });
    await using other = runBot(bed, 'echo', { env: { STATE_DIR: stateDir } });
    expect(await other.waitFor('status.unavailable')).toMatchObject({ level: 'info', path: socket });
    bed.say('hello');
    await allAnswered(bed);
    expect(await other.stop()).toMatchObject({ code: 0 });
    expect(other.events().filter((event) => event === 'status.unavailable')).toHaveLength(1);
  });
});

describe('lastcall log', () => {
  it('has a run log less for a moment, and then as much as before', async () => {
    await using bed = await openSandbox();
    await using daemon = runBot(bed, 'echo', { env: { LOG_LEVEL: 'debug' } });
    await idle(bed);
    const args = ['log', '--level=error', '--for=300ms'];
    await using program = spawnDaemon({ args, env: { STATE_DIR: bed.stateDir } });
    expect(await program.end()).toMatchObject({ code: 0 });
    expect(program.output).toBe(`process ${daemon.child.pid} logs at the level error for 300 ms\n`);
    const changed = await daemon.waitFor('log.level-changed');
    const restored = await daemon.waitFor('log.level-restored');
    expect([changed['logLevel'], restored['logLevel']]).toEqual(['error', 'debug']);
    expect(daemon.lines.indexOf(restored) - daemon.lines.indexOf(changed)).toBe(1);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});
