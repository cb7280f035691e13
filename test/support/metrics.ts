/** Asks a run for what it serves at the address of METRICS, and reads Prometheus' text. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Daemon } from './daemon.js';

const PATIENCE_MS = 15_000;

export interface Asked {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** @param address host and port, as `metrics.listening` tells it */
export function get(
  address: string,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const asked = request(`http://${address}${path}`, { agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** Where a daemon serves its metrics. */
export async function addressOf(daemon: Daemon): Promise<string> {
  return `${(await daemon.waitFor('metrics.listening'))['address']}`;
}

/** The samples of a text. */
export class Samples {
  readonly #samples: ReadonlyMap<string, number>;

  constructor(text: string) {
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    this.#samples = new Map(
      lines.map((line) => {
        const [, series = '', value = ''] = /^(.*) (\S+)$/.exec(line) ?? [];
        return [series, Number(value)];
      }),
    );
  }

  /** The value of the only series with this name whose labels have these values; undefined if there is none. */
  of(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const found = [...this.#samples].filter(
      ([series]) => series.split('{', 1)[0] === name && wanted.every((label) => series.includes(label)),
    );
    if (found.length > 1) throw new Error(`several series of ${name}: ${found.join(' ')}`);
    return found[0]?.[1];
  }

  /** The sum of all series with this name. */
  sum(name: string): number {
    const found = [...this.#samples].filter(([series]) => series.split('{', 1)[0] === name);
    return found.reduce((sum, [, value]) => sum + value, 0);
  }

  /** The values of one label, in the order of the text. */
  values(name: string, label: string): string[] {
    return [...this.#samples.keys()]
      .filter((series) => series.split('{', 1)[0] === name)
      .map((series) => new RegExp(`[{,]${label}="([^"]*)"`).exec(series)?.[1] ?? '');
  }

  get names(): readonly string[] {
    return [...new Set([...this.#samples.keys()].map((series) => series.split('{', 1)[0] ?? ''))];
  }
}

/** Asks until the samples are as they are to be, and returns them. */
export async function samplesWhen(address: string, isRight: (samples: Samples) => boolean): Promise<Samples> {
  let last = '';
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(20)) {
    last = (await get(address, '/metrics')).body;
    const samples = new Samples(last);
    if (isRight(samples)) return samples;
  }
  throw new Error(`the metrics have not become right:\n${last}`);
}

/** Prometheus' own tool (Debian: the package `prometheus`), if it is here. */
export const promtoolFile = process.env['PROMTOOL'] ?? 'promtool';

/** Why the tests with promtool are skipped, to be added to their names; undefined where it is here. */
export const noPromtool: string | undefined = (() => {
  try {
    execFileSync(promtoolFile, ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'promtool is not installed';
  }
})();

/** Runs promtool; throws what it prints where it is not content. */
export function promtool(args: readonly string[], input = ''): string {
  return execFileSync(promtoolFile, args, { input, encoding: 'utf8', stdio: 'pipe' });
}
