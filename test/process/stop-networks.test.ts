/** A stop while a network holds the intake up, in each of the ways that one can: it ends within its bound all the same. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { whyNoBlackHole } from '../support/black-hole.js';
import { type Daemon, type DaemonOptions, median } from '../support/daemon.js';
import { openSandbox, type TestBed } from '../support/delivery.js';
import { launch } from '../support/programs.js';
import { silent, startProxy, type TestProxy } from '../support/proxy.js';
import { NarrowLine } from '../support/slow-network.js';
import { idle, MARGIN_MS, startBot } from '../support/stopping.js';

jest.setTimeout(30_000);

const tokens = [1, 2, 3, 4, 5].map((id) => `${id}:a-token-of-the-stop-tests`);

/** A stop with nothing to wait for takes no time but the process's own. */
const AT_ONCE_MS = MARGIN_MS;
/** A look-up gets 200 ms to end, and a program is asked more than once whether it is at work. */
const LOOK_UP_MS = 500;
/** The last confirm has a tenth of the budget, which is 2 s here. */
const CONFIRM_MS = 200;

const LINE_BYTES_PER_SECOND = 8_000;
/** The line is busy with their bodies for 15 s. */
const WAITING = { text: 'x'.repeat(800), count: 100 };

interface Stops {
  readonly start: (token: string) => Daemon;
  /** Resolves when each bot is where the stop is to find it. */
  readonly reached: (daemons: readonly Daemon[]) => Promise<unknown>;
  readonly withinMs: number;
  readonly exit?: object;
}

/** Stops five bots, and holds the median to the bound. */
async function expectStops({ start, reached, withinMs, exit = { code: 0 } }: Stops): Promise<void> {
  const daemons = tokens.map(start);
  try {
    await reached(daemons);
    const times: number[] = [];
    // One after the other: the bounds leave no room for the others' exits.
    for (const daemon of daemons) {
      const end = await daemon.stop();
      expect(end).toMatchObject(exit);
      expect(daemon.receipt).toMatchObject({ reason: 'SIGTERM', outcome: 'clean', exitCode: 0 });
      times.push(end.tookMs);
    }
    expect(median(times)).toBeLessThan(withinMs);
  } finally {
    await Promise.all(daemons.map((daemon) => daemon[Symbol.asyncDispose]()));
  }
}

const allOf = (daemons: readonly Daemon[], event: string) =>
  Promise.all(daemons.map((daemon) => daemon.waitFor(event)));

const startEcho = (sandbox: TestBed, token: string, options: DaemonOptions = {}): Daemon =>
  startBot(sandbox, 'echo.mjs', { bot: sandbox.bot(token), ...options });

/** Resolves when each bot has polled so often. */
const allPolled = (sandbox: TestBed, times = 1) =>
  sandbox.waitFor(() => tokens.every((token) => sandbox.bot(token).callCount('getUpdates') >= times));

/** Resolves when each bot has asked a server that never answers. */
async function allAsked({ asked, server }: TestProxy): Promise<void> {
  while (asked.length < tokens.length) await once(server, 'asked');
}

describe('a stop signal', () => {
  it('amid a body on a slow line', async () => {
    await using sandbox = await openSandbox();
    await using line = await NarrowLine.open(sandbox.port, LINE_BYTES_PER_SECOND);
    for (const token of tokens) sandbox.bot(token).say(WAITING);
    await expectStops({
      start: (token) => startEcho(sandbox, token, { env: { TELEGRAM_API_ROOT: line.apiRoot } }),
      reached: () => allPolled(sandbox),
      withinMs: AT_ONCE_MS,
    });
    expect(tokens.map((token) => sandbox.bot(token).state().queued)).toEqual(tokens.map(() => WAITING.count));
  });

  it('amid a TLS handshake that never ends', async () => {
    await using sandbox = await openSandbox();
    await using front = await startProxy(silent);
    const env = { TELEGRAM_API_ROOT: `https://127.0.0.1:${front.port}` };
    await expectStops({
      start: (token) => startEcho(sandbox, token, { env }),
      reached: () => allAsked(front),
      withinMs: AT_ONCE_MS,
    });
  });

  it('while a proxy accepts and does not answer CONNECT', async () => {
    await using sandbox = await openSandbox();
    await using proxy = await startProxy(silent);
    const env = { TELEGRAM_API_ROOT: 'https://127.0.0.1:1', PROXY: `http://127.0.0.1:${proxy.port}` };
    await expectStops({
      start: (token) => launch(sandbox, 'by-agent.js', { bot: sandbox.bot(token), env }),
      reached: () => allAsked(proxy),
      withinMs: AT_ONCE_MS,
    });
  });

  it('while the target of a redirect does not answer', async () => {
    await using sandbox = await openSandbox();
    await using target = await startProxy(silent);
    const front = http.createServer((request, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${target.port}${request.url}` }).end();
    });
    await once(front.listen(0, '127.0.0.1'), 'listening');
    try {
      const env = { TELEGRAM_API_ROOT: `http://127.0.0.1:${(front.address() as AddressInfo).port}` };
      await expectStops({
        start: (token) => startEcho(sandbox, token, { env }),
        reached: () => allAsked(target),
        withinMs: AT_ONCE_MS,
      });
    } finally {
      front.close();
    }
  });

  it('in the pause before another try', async () => {
    await using sandbox = await openSandbox();
    sandbox.addFault({ kind: 'refuse' });
    await expectStops({
      start: (token) => startEcho(sandbox, token),
      reached: (daemons) => allOf(daemons, 'poll.failed'),
      withinMs: AT_ONCE_MS,
    });
  });

  it('on a connection that is half open since a request, with an update to confirm', async () => {
    await using sandbox = await openSandbox();
    await expectStops({
      start: (token) => startEcho(sandbox, token),
      async reached() {
        for (const token of tokens) await idle(sandbox, sandbox.bot(token));
        for (const token of tokens) sandbox.bot(token).say({ text: 'hello' });
        await allPolled(sandbox, 3);
        // Also strikes the polls that wait.
        sandbox.addFault({ kind: 'half-open', method: 'getUpdates' });
      },
      withinMs: CONFIRM_MS + MARGIN_MS,
    });
  });

  const noNetwork = whyNoBlackHole();
  const skipped = noNetwork === undefined ? '' : ` (skipped: ${noNetwork})`;
  const itInBlackHole = noNetwork === undefined ? it : it.skip;

  itInBlackHole(`amid a connection that nobody answers${skipped}`, async () => {
    await using sandbox = await openSandbox();
    const env = { TELEGRAM_API_ROOT: `http://${BLACK_HOLE}:8081` };
    await expectStops({
      start: (token) => startEcho(sandbox, token, { env, entering: inBlackHole }),
      reached: (daemons) => allOf(daemons, 'lifecycle.running'),
      withinMs: AT_ONCE_MS,
    });
  });

  itInBlackHole(`amid a look-up that no name server answers${skipped}`, async () => {
    await using sandbox = await openSandbox();
    const folder = mkdtempSync(join(tmpdir(), 'lastcall-'));
    const resolvConf = join(folder, 'resolv.conf');
    writeFileSync(resolvConf, `nameserver ${BLACK_HOLE}\noptions timeout:30 attempts:1\n`);
    const entering = ['unshare', '--mount', 'sh', '-ec', withResolver, 'sh', resolvConf, ...inBlackHole];
    try {
      await expectStops({
        start: (token) =>
          // An unchanged program: what polling is at must not count as its work.
          launch(sandbox, 'answers-shortly.js', {
            bot: sandbox.bot(token),
            env: { TELEGRAM_API_ROOT: 'http://bot-api.test' },
            entering,
          }),
        reached: (daemons) => allOf(daemons, 'lifecycle.running'),
        withinMs: LOOK_UP_MS + MARGIN_MS,
        // On older versions of Node nothing but a signal ends a process amid a look-up.
        exit: 'execve' in process ? { code: 0 } : { signal: 'SIGTERM' },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const BLACK_HOLE = '10.99.0.9';
/** A network that takes packets to the address, and drops them. */
const blackHole = 'ip link set lo up; ip route add 10.99.0.0/24 dev lo; exec "$@"';
const inBlackHole = ['unshare', '--net', 'sh', '-ec', blackHole, 'sh'];
const withResolver = 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"';
