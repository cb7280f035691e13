/** A bot as a unit of a throw-away host, at work on a sandbox of the test's own process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { fixture } from './daemon.js';
import { repository } from './folder.js';
import { checkout, type Entry, type SystemdHost } from './systemd-host.js';

export interface UnitOptions {
  /** A module of the fixtures, or a file of the host. */
  readonly module?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What the unit has beside what is shipped: `WatchdogSec: '3'`, as a drop-in would. */
  readonly service?: Readonly<Record<string, string>>;
  readonly token?: string;
}

/** The shipped unit, in the host, with a drop-in of the test's. Stops with its test: `await using`. */
export class BotUnit implements AsyncDisposable {
  readonly host: SystemdHost;
  readonly name: string;
  readonly #since = `@${Date.now() / 1_000}`;

  private constructor(host: SystemdHost, name: string) {
    this.host = host;
    this.name = name;
  }

  /** Installs the unit, and does not start it. `name`: `lastcall`, or an instance of the template, `lastcall@shop`. */
  static async install(
    host: SystemdHost,
    sandbox: Sandbox,
    { module = 'echo', env = {}, service = {}, token = sandbox.token }: UnitOptions = {},
    name = 'lastcall',
  ): Promise<BotUnit> {
    const [prefix = '', instance] = name.split('@');
    const template = instance === undefined ? prefix : `${prefix}@`;
    const shipped = readFileSync(join(repository, 'systemd', `${template}.service`), 'utf8');
    const folder = instance === undefined ? '/srv/bot' : `/srv/bots/${instance}`;
    const file = module.startsWith('/')
      ? module
      : fixture('modules', `${module}.mjs`).replace(repository, checkout);
    const settings = { TELEGRAM_API_ROOT: sandbox.apiRoot, ...env };
    const dropIn = {
      RestartSec: '300ms',
      ExecStart: `\nExecStart=/usr/bin/node ${checkout}/dist/main.js run ${file}`,
      ...service,
      ...Object.fromEntries([
        [
          'Environment',
          Object.entries(settings)
            .map(([key, value]) => `"${key}=${value}"`)
            .join(' '),
        ],
      ]),
    };
    const lines = Object.entries(dropIn).map(([key, value]) => `${key}=${value}`);
    host.write(`/etc/systemd/system/${template}.service`, shipped);
    host.write(`/run/systemd/system/${name}.service.d/test.conf`, `[Service]\n${lines.join('\n')}\n`);
    host.write(`${folder}/.keep`, '');
    host.write(
      instance === undefined ? '/etc/lastcall/bot-token' : `/etc/lastcall/${instance}.token`,
      token,
      0o600,
    );
    await host.succeed('systemctl', 'daemon-reload');
    return new BotUnit(host, `${name}.service`);
  }

  async systemctl(
    verb: string,
    ...args: string[]
  ): Promise<{ code: number; tookMs: number; stdout: string; stderr: string }> {
    const from = performance.now();
    const ended = await this.host.run('systemctl', verb, ...args, this.name);
    return { ...ended, tookMs: performance.now() - from };
  }

  show(property: string): Promise<string> {
    return this.host.show(this.name, property);
  }

  until(property: string, value: string | RegExp, patienceMs?: number): Promise<string> {
    return this.host.until(this.name, property, value, patienceMs);
  }

  async pid(): Promise<number> {
    return Number(await this.show('MainPID'));
  }

  /** What the bot's process has written since the unit was installed. */
  log(...filter: string[]): Promise<Entry[]> {
    return this.host.journal(`--since=${this.#since}`, '-t', 'node', `_SYSTEMD_UNIT=${this.name}`, ...filter);
  }

  /** Its log lines of one event. */
  async told(event: string): Promise<Record<string, unknown>[]> {
    const lines = (await this.log()).map(({ MESSAGE }) => parsed(MESSAGE));
    return lines.filter((line) => line['event'] === event);
  }

  /** Waits until it has told an event so many times. */
  async tells(event: string, times: number): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if ((await this.told(event)).length >= times) return;
      await sleep(20);
    }
    throw new Error(`it has not told ${event} ${times} times`);
  }

  /** The receipt: the last line of the last run. */
  async receipt(): Promise<Record<string, unknown>> {
    const last = parsed((await this.log()).at(-1)?.MESSAGE ?? '');
    if (last['event'] !== 'lifecycle.stopped')
      throw new Error(`the last line is no receipt: ${JSON.stringify(last)}`);
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.run('systemctl', 'kill', '--signal=SIGKILL', this.name);
    await this.host.run('systemctl', 'stop', this.name);
    await this.host.run('systemctl', 'reset-failed', this.name);
    await this.host.succeed('rm', '-rf', `/run/systemd/system/${this.name}.d`);
  }
}

function parsed(message: string): Record<string, unknown> {
  try {
    return JSON.parse(message);
  } catch {
    return { text: message };
  }
}
