import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { heartbeatAgeMs, heartbeatFile, writeHeartbeat } from '../../src/host/heartbeat.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastcall-heartbeat-'));
  path = heartbeatFile({ TMPDIR: folder });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('says how long ago it was written', () => {
  expect(heartbeatAgeMs(path)).toBeUndefined();
  writeHeartbeat(path, 1_000);
  expect(heartbeatAgeMs(path, 4_000)).toBe(3_000);
});

it('of an earlier boot counts as none', () => {
  writeHeartbeat(path, 5_000);
  expect(heartbeatAgeMs(path, 100)).toBeUndefined();
});

it('is not believed in a folder that others may write to, nor behind a link', () => {
  writeHeartbeat(path, 1_000);
  chmodSync(dirname(path), 0o777);
  expect(heartbeatAgeMs(path, 1_000)).toBeUndefined();
  chmodSync(dirname(path), 0o700);
  const linked = mkdtempSync(join(tmpdir(), 'lastcall-heartbeat-'));
  try {
    symlinkSync(dirname(path), dirname(heartbeatFile({ TMPDIR: linked })));
    expect(heartbeatAgeMs(heartbeatFile({ TMPDIR: linked }), 1_000)).toBeUndefined();
  } finally {
    rmSync(linked, { recursive: true, force: true });
  }
});

it('says why it cannot be written', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => writeHeartbeat(join(folder, 'file', 'lastcall-0', 'heartbeat'))).toThrow('ENOTDIR');
  writeHeartbeat(path, 1_000);
  chmodSync(dirname(path), 0o777);
  expect(() => writeHeartbeat(path)).toThrow('is not a folder of this user alone');
});
