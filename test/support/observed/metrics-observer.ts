/** Holds what a process serves at the address of METRICS to what the sandbox knows. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Daemon } from '../daemon.js';
import { addressOf, get, type Samples, samplesWhen } from '../metrics.js';
import { botFolder } from '../status.js';
import { ANSWER_MS, expectAboutMs, type Observer, type Scene, STOP_TIMEOUT_MS, truthOf } from './busy-bot.js';

/** Which state of polling a process shows. */
export const stateOf = (samples: Samples, state: string): boolean =>
  samples.of('lastcall_bot_state', { state }) === 1;

/** What is done with, and what is not, is what has come. */
function expectBalance(samples: Samples): void {
  const come =
    samples.sum('lastcall_updates_fetched_total') + samples.sum('lastcall_updates_recovered_total');
  const left = samples.sum('lastcall_updates_waiting') + samples.sum('lastcall_handlers_running');
  expect(samples.sum('lastcall_updates_total') + left).toBe(come);
}

/** The size of what is written in the log files below a folder, which end with zeros that are room in advance. */
function writtenBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.log'))
    .reduce((sum, file) => sum + 1 + readFileSync(join(folder, file)).findLastIndex((byte) => byte !== 0), 0);
}

/** The samples in which all is counted that the sandbox knows of. */
async function settled(scene: Scene): Promise<Samples> {
  const { handled, failed } = truthOf(scene);
  return samplesWhen(
    await addressOf(scene.daemon),
    (samples) =>
      samples.of('lastcall_updates_total', { result: 'handled' }) === handled &&
      samples.of('lastcall_updates_total', { result: 'failed' }) === failed &&
      samples.of('lastcall_confirm_lag_seconds') === 0,
  );
}

const expectAboutSeconds = (actual: number | undefined, ms: number): void =>
  expectAboutMs(actual === undefined ? undefined : actual * 1_000, ms);

export class MetricsObserver implements Observer {
  /** A connection on which nothing is asked, and which must hold up no stop. */
  #idlerEnded: Promise<unknown> | undefined;

  async underLoad(scene: Scene): Promise<void> {
    const { bed, daemon, slowSince } = scene;
    const address = await addressOf(daemon);
    const samples = await settled(scene);
    const { said, handled, failed, running, waiting } = truthOf(scene);
    expect(samples.values('lastcall_bot_state', 'bot')[0]).toBe(`${bed.id}`);
    expect(stateOf(samples, 'polling')).toBe(true);
    expect(samples.of('lastcall_phase', { phase: 'running' })).toBe(1);
    expectBalance(samples);
    const figures = {
      lastcall_updates_fetched_total: said,
      lastcall_updates_recovered_total: 0,
      lastcall_updates_put_back_total: 0,
      lastcall_updates_waiting: waiting,
      lastcall_handlers_running: running,
      lastcall_handlers_hung: 0,
      lastcall_handlers_limit: 256,
      lastcall_dispatch_held: 0,
      lastcall_jammed_chats: 0,
      lastcall_dead_letters_kept: failed,
      lastcall_dead_letters_dropped_total: 0,
      lastcall_stop_budget_seconds: STOP_TIMEOUT_MS / 1_000,
      lastcall_stop_duration_seconds: 0,
      lastcall_previous_run_killed: 0,
    };
    expect(Object.fromEntries(Object.keys(figures).map((name) => [name, samples.of(name)]))).toEqual(figures);
    expect(samples.of('lastcall_dead_letters_total', { reason: 'failed' })).toBe(failed);
    expect(samples.sum('lastcall_dead_letters_total')).toBe(failed);
    expectAboutSeconds(samples.of('lastcall_oldest_update_age_seconds'), Date.now() - slowSince);
    const start = await daemon.waitFor('lifecycle.running');
    expectAboutSeconds(samples.of('lastcall_start_duration_seconds'), Number(start['durationMs']));

    const times = 'lastcall_handler_duration_seconds';
    expect(samples.of(`${times}_count`, { kind: 'message' })).toBe(handled + failed);
    expect(samples.of(`${times}_sum`, { kind: 'message' })).toBeGreaterThan(
      (handled * ANSWER_MS * 0.95) / 1_000,
    );
    // Only those that failed have not waited for their answer.
    expect(samples.of(`${times}_bucket`, { le: '0.1' })).toBeLessThanOrEqual(failed);

    expect(samples.sum('lastcall_poll_failures_total')).toBe(0);
    const polls = bed.calls({ method: 'getUpdates' }).filter(({ answered }) => answered);
    expect(samples.of('lastcall_poll_duration_seconds_count')).toBe(polls.length);
    expectAboutMs((samples.of('lastcall_last_poll_timestamp_seconds') ?? 0) * 1_000, Date.now());
    const folder = join(botFolder(bed.stateDir), 'inbox');
    // Marks are written a moment later, and what is written may end with a zero itself.
    await samplesWhen(
      address,
      (seen) => Math.abs((seen.of('lastcall_inbox_bytes') ?? 0) - writtenBytes(folder)) < 8,
    );
    expect(samples.of('lastcall_inbox_sync_duration_seconds_count')).toBeGreaterThan(0);
    expect(await get(address, '/readyz')).toMatchObject({ status: 200 });
    expect(await get(address, '/livez')).toMatchObject({ status: 200, body: 'alive\n' });
    await this.#expectDiscretion(scene, address);
  }

  /** Nothing of a message and nothing of the token is in it. */
  async #expectDiscretion({ bed }: Scene, address: string): Promise<void> {
    for (const path of ['/metrics', '/readyz', '/livez', '/else']) {
      const { body } = await get(address, path);
      for (const secret of ['behind the', 'first behind', bed.token.split(':')[1] ?? ''])
        expect(body).not.toContain(secret);
    }
  }

  async standingBy(scene: Scene, other: Daemon): Promise<void> {
    const address = await addressOf(other);
    const samples = await samplesWhen(address, (seen) => stateOf(seen, 'standing-by'));
    expect(samples.sum('lastcall_updates_total')).toBe(0);
    expect(await get(address, '/readyz')).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^ready: .*standing-by/),
    });
    expect(stateOf(await settled(scene), 'polling')).toBe(true);
  }

  async jammed({ daemon, slowSince }: Scene): Promise<void> {
    const address = await addressOf(daemon);
    const samples = await samplesWhen(address, (seen) => seen.of('lastcall_jammed_chats') === 1);
    expectAboutSeconds(samples.of('lastcall_oldest_update_age_seconds'), Date.now() - slowSince);
  }

  async inOutage({ daemon }: Scene): Promise<void> {
    const address = await addressOf(daemon);
    const samples = await samplesWhen(
      address,
      (seen) =>
        stateOf(seen, 'hindered') &&
        (seen.of('lastcall_poll_failures_total', { class: 'unreachable' }) ?? 0) > 1,
    );
    expect(samples.of('lastcall_dispatch_held')).toBe(1);
    expect(samples.sum('lastcall_poll_failures_total')).toBe(
      samples.of('lastcall_poll_failures_total', { class: 'unreachable' }),
    );
    // A handler is at work still.
    expect(await get(address, '/readyz')).toMatchObject({
      body: expect.stringContaining('Telegram unreachable, 1 running'),
    });
    expect(await get(address, '/livez')).toMatchObject({ status: 200 });
  }

  async afterOutage({ bed, daemon }: Scene): Promise<void> {
    const samples = await samplesWhen(await addressOf(daemon), (seen) => stateOf(seen, 'polling'));
    expect(samples.of('lastcall_dispatch_held')).toBe(0);
    const failed = bed.calls({ method: 'getUpdates' }).filter(({ fault }) => fault === 'error');
    expect(samples.sum('lastcall_poll_failures_total')).toBe(failed.length);
  }

  async draining(scene: Scene): Promise<void> {
    const address = await addressOf(scene.daemon);
    const [host, port] = address.split(':');
    const idler = connect(Number(port), host);
    await once(idler, 'connect');
    this.#idlerEnded = once(idler, 'close');
    const samples = await samplesWhen(
      address,
      (seen) => (seen.of('lastcall_stop_duration_seconds') ?? 0) > 0.05,
    );
    const { running, waiting } = truthOf(scene);
    expect(samples.of('lastcall_phase', { phase: 'stopping' })).toBe(1);
    expect(samples.of('lastcall_handlers_running')).toBe(running);
    expect(samples.of('lastcall_updates_waiting')).toBe(waiting);
    expectBalance(samples);
    expect(await get(address, '/readyz')).toMatchObject({ status: 503, body: 'not ready: stopping\n' });
    expect(await get(address, '/livez')).toMatchObject({ status: 200 });
  }

  async stopped({ bed, daemon }: Scene): Promise<void> {
    expect(daemon.receipt).toMatchObject({ outcome: 'clean' });
    await this.#idlerEnded;
    await expect(get(await addressOf(daemon), '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(bed.state().queued).toBe(0);
  }

  async restarted(scene: Scene, next: Daemon): Promise<void> {
    const { failed } = truthOf(scene);
    const samples = await samplesWhen(
      await addressOf(next),
      (seen) => seen.of('lastcall_updates_total', { result: 'handled' }) === 2,
    );
    expect(samples.of('lastcall_updates_recovered_total')).toBe(2);
    expect(samples.of('lastcall_dead_letters_kept')).toBe(failed);
    expect(samples.sum('lastcall_dead_letters_total')).toBe(0);
    expect(samples.of('lastcall_previous_run_killed')).toBe(0);
    const stopMs = Number(scene.daemon.receipt['stopDurationMs']);
    const tookMs = (samples.of('lastcall_previous_stop_duration_seconds') ?? 0) * 1_000;
    expect(Math.abs(tookMs - stopMs)).toBeLessThan(500);
    expectBalance(samples);
  }

  async killed(): Promise<void> {
    // Nobody is there to be asked.
  }

  async afterKill(_scene: Scene, next: Daemon): Promise<void> {
    const samples = await samplesWhen(await addressOf(next), (seen) => stateOf(seen, 'polling'));
    expect(samples.of('lastcall_previous_run_killed')).toBe(1);
    expect(samples.of('lastcall_previous_stop_duration_seconds')).toBeUndefined();
  }
}
