import { describe, expect, it } from '@jest/globals';
import { containerRuntime, heartbeatWarning, inContainer } from '../../src/host/container.js';
import { heartbeatAgeMs, heartbeatFile } from '../../src/host/heartbeat.js';
import { pm2Supervisor } from '../../src/host/pm2.js';
import { detectSupervisor, unsupervised } from '../../src/host/supervisor.js';
import { Folder } from '../support/folder.js';

const none = { dockerFile: false, podmanFile: false, overlayRoot: false, ownPids: false, systemd: false };
const unnamed = { ...none, overlayRoot: true, ownPids: true };

describe('the runtime of the container', () => {
  it.each([
    ['none on a host', {}, none, undefined],
    ['none on a machine made of an image, which has its file', {}, { ...none, dockerFile: true }, undefined],
    ['Docker by its file and its layer', {}, { ...none, dockerFile: true, overlayRoot: true }, 'Docker'],
    [
      'Docker by its file on a layer of another kind',
      {},
      { ...none, dockerFile: true, ownPids: true },
      'Docker',
    ],
    ['Podman by its file', {}, { ...none, podmanFile: true }, 'Podman'],
    ['Podman by the environment', { container: 'podman' }, none, 'Podman'],
    [
      'Kubernetes, whatever runs its containers',
      { KUBERNETES_SERVICE_HOST: '10.0.0.1', container: 'podman' },
      none,
      'Kubernetes',
    ],
    ['unknown where only its processes and its layer are its own', {}, unnamed, 'the container'],
    ['none where a systemd runs there', {}, { ...unnamed, systemd: true }, undefined],
    ['none on a machine that runs from a layer', {}, { ...none, overlayRoot: true }, undefined],
    ['none in a service of systemd', { INVOCATION_ID: '1' }, { ...unnamed, dockerFile: true }, undefined],
    [
      'none where the environment says so',
      { container: 'none', KUBERNETES_SERVICE_HOST: '10.0.0.1' },
      none,
      undefined,
    ],
  ])('is %s', (_, env, traces, runtime) => {
    expect(containerRuntime(env, traces)).toBe(runtime);
  });
});

describe('the grace', () => {
  it('limits the stop, less a margin', () => {
    expect(inContainer(unsupervised, 10_000, {})).toMatchObject({
      kind: 'container',
      stopLimitMs: 9_600,
      killAfterMs: 10_000,
      killer: 'container',
    });
  });

  it.each([
    ['1600', 1_600, undefined],
    ['95000', 10_000, 'container'],
  ])('counts under pm2 where kill_timeout, %s, is not shorter', (kill_timeout, killAfterMs, killer) => {
    const pm2 = pm2Supervisor({ pid: 7, env: { kill_timeout } });
    const supervisor = inContainer(pm2, 10_000, {});
    expect(supervisor.kind).toBe('pm2');
    expect(supervisor.killAfterMs).toBe(killAfterMs);
    expect(supervisor.killer).toBe(killer);
  });

  it('counts where it is set, though no container is known', async () => {
    const env = { container: 'none' };
    expect(await detectSupervisor({ pid: 8, env }, 20_000)).toMatchObject({
      kind: 'container',
      killAfterMs: 20_000,
    });
  });
});

describe('the heartbeat', () => {
  it('that can be written is no news', () => {
    using folder = new Folder();
    expect(heartbeatWarning({ TMPDIR: folder.path })).toBeUndefined();
    expect(heartbeatAgeMs(heartbeatFile({ TMPDIR: folder.path }))).toBeDefined();
  });

  it('that cannot be written is one, with the reason and what to do', () => {
    using folder = new Folder({ file: '' });
    const TMPDIR = folder.file('file');
    const warning = heartbeatWarning({ TMPDIR });
    expect(warning).toMatch(/cannot be written.*ENOTDIR.*mount a tmpfs at .*file, or set TMPDIR/);
    expect(() => inContainer(unsupervised, 10_000, { TMPDIR }).ping?.()).not.toThrow();
  });
});
