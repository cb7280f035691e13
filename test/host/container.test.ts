import { describe, expect, it } from '@jest/globals';
import { containerRuntime, containerSupervisor, graceOf, inContainer } from '../../src/host/container.js';
import { pm2Supervisor } from '../../src/host/pm2.js';
import { detectSupervisor } from '../../src/host/supervisor.js';

const none = { dockerFile: false, podmanFile: false, overlayRoot: false };

describe('the runtime of the container', () => {
  it.each([
    ['none on a host', {}, none, undefined],
    ['none on a machine made of an image, which has its file', {}, { ...none, dockerFile: true }, undefined],
    ['Docker by its file and its layer', {}, { ...none, dockerFile: true, overlayRoot: true }, 'Docker'],
    ['Podman by its file', {}, { ...none, podmanFile: true }, 'Podman'],
    ['Podman by the environment', { container: 'podman' }, none, 'Podman'],
    [
      'Kubernetes, whatever runs its containers',
      { KUBERNETES_SERVICE_HOST: '10.0.0.1', container: 'podman' },
      none,
      'Kubernetes',
    ],
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
  it.each([
    ['Docker', undefined, 10_000],
    ['Kubernetes', undefined, 30_000],
    ['Kubernetes', 95_000, 95_000],
    [undefined, undefined, Number.POSITIVE_INFINITY],
  ] as const)('of %s, with %s set, is %d ms', (runtime, set, expected) => {
    expect(graceOf(runtime, set)).toBe(expected);
  });

  it('limits the stop, less a margin', () => {
    expect(containerSupervisor(10_000, {})).toMatchObject({
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
      kind: 'none',
      killAfterMs: 20_000,
    });
  });
});
