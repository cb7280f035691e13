/** The shipped ecosystem.config.js under the real pm2: start, stop, restart, reload, cluster mode, the log. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { median } from '../support/daemon.js';
import { allAnswered, answers, mishaps, noMishaps, openSandbox } from '../support/delivery.js';
import { Pm2, Pm2Bot } from '../support/pm2.js';
import { newToken } from '../support/token.js';

jest.setTimeout(60_000);

const BOUND_MS = 1_000;
/** What pm2 waits before it kills, where nothing is set. */
const DEFAULT_KILL_MS = 1_600;
const withDefaultKillTimeout = { kill_timeout: null };

const pm2 = new Pm2();
afterAll(() => pm2[Symbol.asyncDispose]());

/** So many texts, spread over ten chats; resolves when the bot is amid them. */
async function load(sandbox: Sandbox, count: number, text: string): Promise<void> {
  const answered = sandbox.callCount('sendMessage');
  for (let n = 0; n < count; n++) sandbox.say({ chat: 1 + (n % 10), text: `${text} ${n}.` });
  await answers(sandbox, answered + count / 10);
}

/** How long there was no poll at each handover: from the end of the old one's polling to the first poll of the new. */
function gaps(bot: Pm2Bot, sandbox: Sandbox): number[] {
  const ends = bot.told('poll.stopped').map(({ time }) => Date.parse(String(time)));
  const calls = sandbox.calls();
  // Each process asks who it is, and then polls.
  const firstPolls = calls
    .filter(({ method }) => method === 'getMe')
    .flatMap(({ number }) => calls.find((call) => call.number > number && call.method === 'getUpdates') ?? [])
    .map(({ atMs }) => performance.timeOrigin + atMs);
  return ends.flatMap((end, index) => {
    const next = firstPolls[index + 1];
    return next === undefined ? [] : [next - end];
  });
}

/** Throws where one began to poll before the one before it had ended. */
function expectOneAtATime(bot: Pm2Bot): void {
  const turns = bot.lines
    .filter(({ event }) => event === 'poll.connected' || event === 'poll.stopped')
    .sort((a, b) => Date.parse(String(a['time'])) - Date.parse(String(b['time'])))
    .map(({ event }) => event);
  expect(turns.filter((turn, index) => turn === turns[index - 1])).toEqual([]);
}

/** The pids of those that polled, in their order. */
const pollers = (bot: Pm2Bot) => bot.told('poll.connected').map(({ pid }) => pid);

describe('pm2 start', () => {
  it('returns when the bot polls, and `pm2 show` says how it does', async () => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox);
    // Not before, whatever has started by then.
    sandbox.addFault({ kind: 'refuse', forMs: 1_000 });
    await bot.start();
    expect(sandbox.calls({ method: 'getUpdates' })[0]?.answered).toBeDefined();
    const status = new RegExp(`^polling as @sandbox_${sandbox.id}_bot, 0 running, 0 handled`);
    await bot.shows(([app]) => status.test(app?.pm2_env.axm_monitor?.lastcall?.value ?? ''));
    expect((await pm2.run('show', 'lastcall')).output).toMatch(/lastcall\W+polling as @sandbox_/);
    // The shipped settings give the stop all of its time, which the start says.
    expect(bot.told('lifecycle.budget')).toMatchObject([
      { level: 'info', budgetMs: 90_000, drainMs: 60_000, hooksMs: 30_000 },
    ]);
    expect(internetSockets(pm2.daemonPid)).toEqual([]);
  });

  it("runs the checkout by its own file, with the shell's settings", async () => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { checkout: true });
    await bot.start();
    sandbox.say('hello');
    await allAnswered(sandbox);
    expect((await bot.stop()).code).toBe(0);
    expect(bot.receipt).toMatchObject({ outcome: 'clean' });
  });

  it('goes on without it when it comes late, and a late `ready` does no harm', async () => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { app: { listen_timeout: 300 } });
    sandbox.addFault({ kind: 'refuse', forMs: 1_500 });
    await bot.start();
    expect(bot.told('poll.started')).toEqual([]);
    await bot.shows(([app]) => app?.pm2_env.status === 'online');
    await bot.tells('poll.started');
    sandbox.say('hello');
    await allAnswered(sandbox);
    await bot.stop();
    expect(bot.receipt).toMatchObject({ outcome: 'clean' });
  });

  it('shows exit code 78 for a token that is refused, and no loop of restarts', async () => {
    await using sandbox = await openSandbox({ tokens: [newToken()] });
    const token = `${sandbox.token.slice(0, -1)}X`;
    await using bot = new Pm2Bot(pm2, sandbox, { token });
    await bot.start();
    // So pm2 calls it with exp_backoff_restart_delay; nothing waits in truth.
    const [app] = await bot.shows(([first]) => first?.pid === 0);
    expect(app?.pm2_env).toMatchObject({ status: 'waiting restart', exit_code: 78 });
    expect(bot.receipt).toMatchObject({ exitCode: 78 });
    // To be asked twice takes pm2 longer than its first back-off.
    await pm2.list();
    expect(await pm2.list()).toMatchObject([{ pid: 0, pm2_env: { restart_time: 0 } }]);
    expect(bot.told('lifecycle.starting')).toHaveLength(1);
    await bot.delete();

    await using plain = new Pm2Bot(pm2, sandbox, { token, app: { exp_backoff_restart_delay: null } });
    await plain.start();
    await plain.shows(([first]) => first?.pm2_env.status === 'stopped');
    expect((await pm2.list())[0]).toMatchObject({ pid: 0, pm2_env: { restart_time: 0, exit_code: 78 } });
    expect(plain.told('lifecycle.starting')).toHaveLength(1);
    expect(plain.log + plain.errorLog).not.toContain(token);
  });
});

describe.each([
  ['as shipped', undefined],
  ["with pm2's default of 1.6 s", withDefaultKillTimeout],
])('under load, %s,', (_, app) => {
  const again: Record<string, (bot: Pm2Bot) => Promise<unknown>> = {
    'stop and start': async (bot) => {
      await bot.stop();
      await bot.start();
    },
    restart: (bot) => bot.restart(),
    reload: (bot) => bot.reload(),
    'delete and start': async (bot) => {
      await bot.delete();
      await bot.start();
    },
    'kill and start': async (bot) => {
      await pm2.succeed('kill');
      await bot.start();
    },
  };

  it('pm2 stop, restart, reload, delete and kill lose nothing and handle nothing twice', async () => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { env: { HANDLER_MS: '50' }, ...(app && { app }) });
    await bot.start();
    for (const [verb, act] of Object.entries(again)) {
      // Enough for 2 s: pm2's command may take one until it sends the signal.
      await load(sandbox, 400, verb);
      await act(bot);
      await allAnswered(sandbox);
      // What pm2 ended was in the middle of its work.
      const stoppedAt = Date.parse(String(bot.told('lifecycle.stopped').at(-1)?.['time']));
      const lastAnswerAt = Math.max(...sandbox.exchanges().map(({ answers: [first] }) => first?.atMs ?? 0));
      expect(performance.timeOrigin + lastAnswerAt).toBeGreaterThan(stoppedAt);
    }
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(sandbox.state().conflicts).toBe(0);
    const receipts = bot.told('lifecycle.stopped');
    expect(receipts).toHaveLength(Object.keys(again).length);
    for (const receipt of receipts) expect(receipt).toMatchObject({ outcome: 'clean', reason: 'SIGINT' });
    expect(bot.told('previous-run.killed')).toEqual([]);
  });
});

describe("pm2's default of 1.6 s", () => {
  it('is told of at the start, once, with what to set', async () => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { app: withDefaultKillTimeout });
    await bot.start();
    expect(bot.lines.filter(({ level }) => level !== 'info')).toMatchObject([
      {
        level: 'warn',
        event: 'lifecycle.budget',
        budgetMs: 1_200,
        killAfterMs: DEFAULT_KILL_MS,
        neededMs: 95_000,
        msg: 'A stop may take only 1.2 s (the drain 600 ms, the hooks after it 600 ms plus what the drain leaves), because pm2 kills after 1.6 s: set kill_timeout to at least 95000, or STOP_TIMEOUT to at most 1200ms',
      },
    ]);
  });

  it.each([
    ['and a hung hook, by name', { module: 'stuck' }, 'hung'],
    // The last to stop, it has all that is left of the budget.
    ["and a program's hung listener", { program: 'hung.js' }, 'bot'],
  ])('is enough to cut a deaf handler %s, and to end before the kill', async (_, what, culprit) => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { ...what, app: withDefaultKillTimeout });
    sandbox.say('hello');
    await bot.start();
    await bot.tells('test.begun');
    const ownLog = pm2.ownLog.length;
    await bot.stop();
    expect(pm2.ownLog.slice(ownLog)).toMatch(/exited with code \[1\]/);
    expect(pm2.ownLog.slice(ownLog)).not.toMatch(/SIGKILL/);
    expect(bot.receipt).toMatchObject({ outcome: 'cut', exitCode: 1, counts: { left: 1 } });
    expect(bot.receipt['stopDurationMs']).toBeLessThan(DEFAULT_KILL_MS);
    expect(bot.told('drain.overdue')).toHaveLength(1);
    expect(bot.told('hook.cut').map(({ hook }) => hook)).toEqual([culprit]);
  });

  it('that it outlasts all the same, its event loop blocked, is told by the next start', async () => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { module: 'blocks-at-stop', app: withDefaultKillTimeout });
    sandbox.say('hello');
    await bot.start();
    await bot.tells('test.begun');
    await bot.stop();
    // As if all were well.
    expect((await pm2.list())[0]?.pm2_env).toMatchObject({ status: 'stopped', exit_code: 0 });
    await bot.start();
    expect(await bot.tells('previous-run.killed')).toMatchObject([
      {
        level: 'warn',
        phase: 'draining',
        durationMs: DEFAULT_KILL_MS,
        msg: expect.stringMatching(/killed 1\.6 s into the drain: raise kill_timeout to at least 95000$/),
      },
    ]);
  });
});

describe('without a signal', () => {
  it('stops by the message that shutdown_with_message sends', async () => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { app: { shutdown_with_message: true } });
    await bot.start();
    await bot.stop();
    expect(bot.receipt).toMatchObject({
      outcome: 'clean',
      exitCode: 0,
      reason: 'the supervisor sent the message "shutdown"',
    });
  });

  it.each(['fork', 'cluster'])("stops in order when pm2's own process is killed (%s mode)", async (mode) => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { env: { HANDLER_MS: '50' }, app: { exec_mode: mode } });
    await bot.start();
    await load(sandbox, 200, 'before');
    process.kill(pm2.daemonPid, 'SIGKILL');
    await pm2.gone();
    expect(sandbox.state().waitingPolls).toBe(0);
    expect(bot.lastRun).toMatchObject({ phase: 'stopped', exitCode: 0, supervisor: 'pm2' });
    // In fork mode pm2 wrote the log, and the next start tells the receipt.
    if (mode === 'cluster')
      expect(bot.receipt).toMatchObject({ outcome: 'clean', reason: 'the supervisor is gone' });

    await bot.start();
    await allAnswered(sandbox);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(bot.told('previous-run.killed')).toEqual([]);
    expect(bot.told('previous-run.receipt')).toMatchObject(
      mode === 'cluster'
        ? []
        : [
            {
              level: 'info',
              reason: 'the supervisor is gone',
              outcome: 'clean',
              exitCode: 0,
              counts: { fetched: expect.any(Number), mayRepeat: 0 },
              msg: expect.stringMatching(
                /could not log its receipt: Stopped cleanly \(the supervisor is gone\), exit code 0; .* handled/,
              ),
            },
          ],
    );
  });
});

describe("pm2's watch", () => {
  it('that sees the state is told of, with what keeps it from restarting the bot at each change', async () => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { app: { watch: true, wait_ready: null } });
    await bot.start();
    const [line] = await bot.tells('state.watched');
    expect(line).toMatchObject({ level: 'warn', watcher: 'pm2' });
    const cure = /have ignore_watch: \['(\w+)', 'node_modules'\] in the app's settings/;
    const [, folder = ''] = cure.exec(String(line?.msg)) ?? [];
    await bot.delete();

    const app = { watch: true, ignore_watch: [folder, 'node_modules'] };
    await using cured = new Pm2Bot(pm2, sandbox, { app });
    await cured.start();
    sandbox.say('hello');
    await allAnswered(sandbox);
    expect(await pm2.list()).toMatchObject([{ pm2_env: { status: 'online', restart_time: 0 } }]);
    expect(cured.told('lifecycle.starting')).toHaveLength(1);
    expect(cured.told('state.watched')).toEqual([]);
  });
});

describe('a fault', () => {
  // As it is without a setting: pm2's instrumentation listens for faults as well.
  it.each(['fork', 'cluster'])('ends in order, with 70 and a restart (%s mode)', async (mode) => {
    await using sandbox = await openSandbox();
    await using bot = new Pm2Bot(pm2, sandbox, { module: 'faulty', app: { exec_mode: mode, pmx: null } });
    await bot.start();
    sandbox.say('throw');
    await bot.tells('lifecycle.stopped');
    expect(bot.told('lifecycle.stopped')).toMatchObject([{ exitCode: 70, outcome: 'fault' }]);
    await bot.tells('poll.started', 2);
    expect((await pm2.list())[0]?.pm2_env).toMatchObject({ status: 'online', restart_time: 1 });
    // The error holds the token; pm2 itself would have written it down.
    expect(bot.log).toContain('nobody catches this');
    expect(bot.log + bot.errorLog).not.toContain(sandbox.token);
  });
});

describe('more than one', () => {
  it.each(['fork', 'cluster'])(
    'polls as one: the other stands by, and takes over (%s mode)',
    async (mode) => {
      await using sandbox = await openSandbox();
      const app = { exec_mode: mode, instances: 2 };
      await using bot = new Pm2Bot(pm2, sandbox, { env: { HANDLER_MS: '50' }, app });
      await bot.start();
      // Both are ready, or `start` would still wait.
      const [poller, standby] = (await pm2.list()).map(({ pid }) => pid);
      expect(pollers(bot)).toEqual([poller]);
      expect(bot.told('lock.waiting')).toMatchObject([{ pid: standby, holder: poller }]);

      await load(sandbox, 200, 'load');
      await pm2.succeed('stop', '0');
      await bot.tells('poll.started', 2);
      expect(pollers(bot)).toEqual([poller, standby]);
      await allAnswered(sandbox);
      expect(mishaps(sandbox)).toEqual(noMishaps);
      expect(sandbox.state().conflicts).toBe(0);
      expectOneAtATime(bot);
      expect(Math.max(...gaps(bot, sandbox))).toBeLessThan(BOUND_MS);
    },
  );

  it.each([1, 2])(
    'reloads in cluster mode without a gap, five times under load (%s instances)',
    async (instances) => {
      await using sandbox = await openSandbox();
      const app = { exec_mode: 'cluster', instances };
      await using bot = new Pm2Bot(pm2, sandbox, { env: { HANDLER_MS: '20' }, app });
      await bot.start();
      for (let round = 1; round <= 5; round++) {
        await load(sandbox, 100, `round ${round},`);
        const before = (await pm2.list()).map(({ pid }) => pid);
        await bot.reload();
        await allAnswered(sandbox);
        const after = (await pm2.list()).map(({ pid }) => pid);
        expect(after.filter((pid) => before.includes(pid))).toEqual([]);
        await bot.logs(() => after.some((pid) => pid === pollers(bot).at(-1)));
      }
      expect(mishaps(sandbox)).toEqual(noMishaps);
      expect(sandbox.state().conflicts).toBe(0);
      expectOneAtATime(bot);
      const measured = gaps(bot, sandbox);
      expect(measured.length).toBeGreaterThanOrEqual(5);
      expect(median(oddly(measured))).toBeLessThan(BOUND_MS);
    },
  );
});

describe('the log', () => {
  it.each(['fork', 'cluster'])(
    "is the app's own, plain JSON from the start to the receipt (%s mode)",
    async (mode) => {
      await using sandbox = await openSandbox();
      await using bot = new Pm2Bot(pm2, sandbox, { app: { exec_mode: mode } });
      await bot.start();
      const { output } = await pm2.succeed('logs', '--raw', '--nostream', '--lines', '100');
      expect(output).toContain(bot.log.trimEnd());
      await bot.stop();
      expect(bot.lines[0]).toMatchObject({ event: 'lifecycle.starting' });
      expect(bot.receipt).toMatchObject({ outcome: 'clean' });
      expect(bot.errorLog).toBe('');
      expect(pm2.ownLog).not.toContain('lifecycle.');
    },
  );
});

/** An odd number of them. */
const oddly = (figures: readonly number[]): readonly number[] =>
  figures.length % 2 === 1 ? figures : figures.slice(1);

/** What of a process reaches beyond this machine, or could. */
function internetSockets(pid: number): string[] {
  const inodes = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((family) =>
    readFileSync(`/proc/${pid}/net/${family}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`),
  );
  const open = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return []; // Closed since.
    }
  });
  return open.filter((link) => inodes.includes(link));
}
