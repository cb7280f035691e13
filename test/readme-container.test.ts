/** Holds what the README says of containers to the code and to itself. */
import { expect, it } from '@jest/globals';
import { settings } from '../src/config/schema.js';
import { recommendedKillAfterMs } from '../src/host/supervisor.js';
import { dockerfile, dockerRun, manifest } from './support/readme-container.js';

const stopTimeout = settings.stopTimeoutMs.readDefault({}, '/').parsed;
const neededS = 'value' in stopTimeout ? recommendedKillAfterMs(stopTimeout.value) / 1_000 : undefined;

it('has a grace that suffices for STOP_TIMEOUT, and tells it lastcall', () => {
  expect(dockerRun.stopTimeoutS).toBe(neededS);
  expect(manifest.graceS).toBe(neededS);
  expect(dockerfile.env['LASTCALL_GRACE']).toBe(`${neededS}s`);
  expect(manifest.lastcallGrace).toBe(`${neededS}s`);
});

it('has the state on the volume, which the user may write to', () => {
  const { STATE_DIR } = dockerfile.env;
  expect([dockerRun.volumeAt, manifest.volumeAt]).toEqual([STATE_DIR, STATE_DIR]);
  expect(dockerfile.runs).toContainEqual(`mkdir ${STATE_DIR} && chown ${dockerfile.user} ${STATE_DIR}`);
  expect(manifest.claim).toBe(true);
});

it('lets one poll at a time', () => {
  expect(manifest).toMatchObject({ replicas: 1, strategy: 'Recreate' });
});

it('asks for the health by one command, in an image of a version of Node that is supported', () => {
  expect(manifest.probe).toEqual(dockerfile.healthcheck);
  expect(dockerfile.healthcheck[0]).toBe(dockerfile.command[0]);
  expect([22, 24, 26]).toContain(dockerfile.node);
});

it('has something that collects orphans', () => {
  expect(dockerRun.init).toBe(true);
  expect(manifest.sharesPids).toBe(true);
});
