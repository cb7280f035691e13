import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { readInTime } from '../../../src/cli/doctor/read-in-time.js';
import { Folder } from '../../support/folder.js';

describe('a file that a setting names', () => {
  it('is read, and is missed as ever', async () => {
    using folder = new Folder({ token: 'text' });
    expect(await readInTime(folder.file('token'))).toBe('text');
    await expect(readInTime(folder.file('none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('may be a pipe that nobody writes into, which is given up', async () => {
    using folder = new Folder();
    expect(spawnSync('mkfifo', [folder.file('token')]).status).toBe(0);
    await expect(readInTime(folder.file('token'), undefined, 1)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const stop = AbortSignal.abort(new Error('stopped'));
    await expect(readInTime(folder.file('token'), stop)).rejects.toThrow('stopped');
  });
});
