/** Bot programs, unchanged, as real processes under a small host: what they see of the takeover, and what it sees. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  type Daemon,
  type DaemonOptions,
  fixture,
  type LogLine,
  median,
  spawnDaemon,
} from '../support/daemon.js';

const TOKEN = '4711:a-token-of-the-takeover-tests';
const SECOND_TOKEN = '4712:another-token-of-the-takeover-tests';
const driver = fixture('drivers', 'run-bot.mjs');
const nodeModules = join(import.meta.dirname, '..', '..', 'node_modules');
const folder = mkdtempSync(join(tmpdir(), 'lastcall-takeover-'));
symlinkSync(nodeModules, join(folder, 'node_modules'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program of a few lines, in a file of its own. */
function program(source: string, { name = 'bot.js', within = folder } = {}): string {
  const file = join(mkdtempSync(join(within, 'program-')), name);
  writeFileSync(file, source);
  return file;
}

/** A program that launches a bot and then does what a test is about. */
const launching = (source: string): string =>
  program(`
    const { Telegraf } = require('telegraf');
    const bot = new Telegraf(process.env.BOT_TOKEN);
    ${source}
  `);

function run(file: string, { env = {}, ...options }: DaemonOptions = {}, token = TOKEN): Daemon {
  const dist = process.env['LASTCALL_DIST'];
  return spawnDaemon({
    file: driver,
    args: [file],
    env: { ...(token && { BOT_TOKEN: token }), ...(dist && { LASTCALL_DIST: dist }), ...env },
    ...options,
  });
}

/** Runs until loaded, then stops by the signal; resolves with the line that tells how the program's turn went. */
async function stopped(daemon: Daemon, signal: NodeJS.Signals = 'SIGTERM'): Promise<LogLine> {
  await daemon.waitFor('loaded');
  daemon.kill(signal);
  return await daemon.waitFor('stopped');
}

/** A Bot API that knows `getMe` and takes everything else for granted; remembers what it was asked. */
async function botApi() {
  const calls: { method: string; body: unknown }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const method = request.url?.split('/').pop() ?? '';
      calls.push({ method, body: JSON.parse(body || '{}') });
      const result =
        method === 'getMe' ? { id: 1, is_bot: true, username: 'driven_bot', first_name: 'B' } : true;
      response.end(JSON.stringify({ ok: true, result }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    root: `http://127.0.0.1:${port}`,
    calls,
    textsSent: () =>
      calls
        .filter(({ method }) => method === 'sendMessage')
        .map(({ body }) => (body as { text: string }).text),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("the example of Telegraf's README", () => {
  it.each([
    ['readme.js', 'SIGTERM'],
    ['readme-esm.mjs', 'SIGINT'],
  ] as const)('%s: is launched, told to stop by %s, and its process is given back', async (name, signal) => {
    await using daemon = run(fixture('bots', name));
    expect((await daemon.waitFor('launched'))['bot']).toBe('4711');
    expect((await daemon.waitFor('loaded'))['form']).toBe('program');
    const line = await stopped(daemon, signal);
    expect(line['failed']).toBeUndefined();
    expect(line['restored']).toBe(true);
    expect(await daemon.end()).toMatchObject({ code: 0 });
  });

  it.each(['readme.js', 'readme-esm.mjs'])('%s: answers updates over another API root', async (name) => {
    await using api = await botApi();
    await using daemon = run(fixture('bots', name), {
      env: { TELEGRAM_API_ROOT: api.root, CONNECT: 'hello' },
    });
    expect((await daemon.waitFor('update'))['result']).toBe('handled');
    expect(api.textsSent()).toEqual(['hello']);
    await stopped(daemon);
  });
});

describe('copies of telegraf', () => {
  it('takes over the copy that a program brings along, whatever its version', async () => {
    const own = mkdtempSync(join(folder, 'own-copy-'));
    const copy = join(own, 'node_modules', 'telegraf');
    mkdirSync(copy, { recursive: true });
    cpSync(join(nodeModules, 'telegraf'), copy, { recursive: true });
    const description = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8'));
    writeFileSync(join(copy, 'package.json'), JSON.stringify({ ...description, version: '4.0.1' }));
    const file = join(own, 'bot.mjs');
    cpSync(fixture('bots', 'readme-esm.mjs'), file);
    writeFileSync(
      file,
      `${readFileSync(file, 'utf8')}
      import { createRequire } from 'node:module';
      console.log('copy:', createRequire(import.meta.url).resolve('telegraf'));`,
    );

    await using api = await botApi();
    await using daemon = run(file, { env: { TELEGRAM_API_ROOT: api.root, CONNECT: 'hello' } });
    expect((await daemon.waitFor('update'))['result']).toBe('handled');
    expect(daemon.output).toContain(`copy: ${copy}`);
    expect(api.textsSent()).toEqual(['hello']);
    expect((await stopped(daemon))['failed']).toBeUndefined();
  });

  it('takes over a copy that was loaded before', async () => {
    const nodeArgs = ['--require', join(nodeModules, 'telegraf', 'lib', 'index.js')];
    await using daemon = run(fixture('bots', 'readme.js'), { nodeArgs });
    await daemon.waitFor('launched');
    expect((await stopped(daemon))['restored']).toBe(true);
  });

  it('lets a handler make many calls at a time without a warning of leaking listeners', async () => {
    await using api = await botApi();
    const source = `
      bot.on('text', (ctx) => Promise.all(Array.from({ length: 20 }, (_, n) => ctx.reply(String(n)))));
      bot.launch();
    `;
    await using daemon = run(launching(source), { env: { TELEGRAM_API_ROOT: api.root, CONNECT: 'hello' } });
    await daemon.waitFor('update');
    expect(api.textsSent()).toHaveLength(20);
    expect(daemon.output).not.toContain('MaxListeners');
  });

  it('redirects what a program calls before it launches', async () => {
    await using api = await botApi();
    await using daemon = run(fixture('bots', 'calls-before-launch.mjs'), {
      env: { TELEGRAM_API_ROOT: api.root },
    });
    await daemon.waitFor('launched');
    expect(api.calls.map(({ method }) => method)).toEqual(['setMyCommands', 'getMe']);
    expect(daemon.output).toContain('I am @driven_bot');
  });

  it('leaves a root alone that the bot was built with', async () => {
    await using api = await botApi();
    await using other = await botApi();
    const file = program(`
      const { Telegraf } = require('telegraf');
      const bot = new Telegraf(process.env.BOT_TOKEN, { telegram: { apiRoot: '${other.root}' } });
      bot.launch();
    `);
    await using daemon = run(file, { env: { TELEGRAM_API_ROOT: api.root, CONNECT: 'hello' } });
    await daemon.waitFor('update');
    expect(other.calls.map(({ method }) => method)).toEqual(['getMe']);
    expect(api.calls).toEqual([]);
  });
});

describe('launch', () => {
  it('hands its options on, and calls onLaunch when the bot is connected', async () => {
    await using api = await botApi();
    await using daemon = run(fixture('bots', 'launch-options.js'), {
      env: { TELEGRAM_API_ROOT: api.root, CONNECT: 'hello' },
    });
    expect(await daemon.waitFor('launched')).toMatchObject({
      allowedUpdates: ['message', 'callback_query'],
      dropPendingUpdates: true,
    });
    await daemon.waitFor('update');
    expect(daemon.output.match(/connected as @driven_bot/g)).toHaveLength(1);
  });

  it('counts as loaded though a top-level await waits for it, and resolves after the drain', async () => {
    await using daemon = run(fixture('bots', 'launch-awaited.mjs'), { env: { DRAIN_MS: '100' } });
    expect((await daemon.waitFor('loaded'))['form']).toBe('program');
    await stopped(daemon);
    const [beforeDrained, afterDrained] = daemon.output.split('"drained"');
    expect(beforeDrained).not.toContain('launch has resolved');
    expect(afterDrained).toContain('launch has resolved');
  });

  it('reports each of several bots', async () => {
    await using daemon = run(fixture('bots', 'two-bots.js'), { env: { SECOND_BOT_TOKEN: SECOND_TOKEN } });
    await daemon.waitFor('loaded');
    const launched = daemon.lines.filter(({ event }) => event === 'launched');
    expect(launched.map((line) => line['bot'])).toEqual(['4711', '4712']);
    expect((await stopped(daemon))['failed']).toBeUndefined();
  });

  it('works seconds after the module has been loaded', async () => {
    await using daemon = run(launching('setTimeout(() => bot.launch(), 1200)'));
    await daemon.waitFor('launched');
    expect((await daemon.waitFor('loaded'))['form']).toBe('program');
  });

  it('launches a bot once, however often it is called', async () => {
    const source = `
      const promises = [bot.launch(), bot.launch(() => {}), bot.startPolling()];
      console.log('one promise:', new Set(promises).size === 1);
    `;
    await using daemon = run(launching(source));
    await daemon.waitFor('loaded');
    expect(daemon.lines.filter(({ event }) => event === 'launched')).toHaveLength(1);
    expect(daemon.output).toContain('one promise: true');
  });

  it('of an exported bot may come later, and stop() works', async () => {
    const source = `
      module.exports = bot;
      setTimeout(() => {
        bot.launch(() => {}).then(() => console.log('launch has resolved'));
        bot.stop('enough');
      }, 100);
    `;
    await using daemon = run(launching(source));
    expect((await daemon.waitFor('loaded'))['form']).toBe('program');
    expect(await daemon.waitFor('stop requested')).toMatchObject({ reason: 'enough' });
    await daemon.waitFor('stopped');
    expect(daemon.events().filter((event) => event === 'launched')).toHaveLength(1);
    expect(daemon.output).toContain('launch has resolved');
  });

  it('during the stop launches nothing, and resolves', async () => {
    const source = `
      const other = new Telegraf(process.env.SECOND_BOT_TOKEN);
      bot.launch();
      const third = new Telegraf('4713:yet-another-token');
      process.once('SIGTERM', async () => {
        await other.launch();
        console.log('the other has resolved');
        await third.launch();
        console.log('the third has resolved');
      });
    `;
    await using daemon = run(launching(source), { env: { SECOND_BOT_TOKEN: SECOND_TOKEN } });
    expect((await stopped(daemon))['failed']).toBeUndefined();
    expect(daemon.events().filter((event) => event === 'launched')).toHaveLength(1);
    expect(daemon.output).toContain('the other has resolved');
    expect(daemon.output).toContain('the third has resolved');
  });

  it('refuses a webhook, and never settles', async () => {
    await using daemon = run(fixture('bots', 'webhook.js'));
    expect(await daemon.waitFor('refused')).toMatchObject({ code: 'WEBHOOK_LAUNCH' });
    await daemon.waitFor('stopped');
    await daemon.end();
    expect(daemon.events()).not.toContain('fault');
    expect(daemon.output).not.toContain('the webhook is set');
  });

  it.each(['createWebhook({ domain: "bot.example" })', 'startWebhook("/", null, 0)'])(
    'refuses %s as well',
    async (call) => {
      await using daemon = run(launching(`bot.${call}`));
      expect(await daemon.waitFor('refused')).toMatchObject({ code: 'WEBHOOK_LAUNCH' });
    },
  );

  it('rejects with what has ended the bot, and that is no fault, caught or not', async () => {
    const source = `
      bot.launch().catch((error) => console.log('caught:', error.message));
      (async () => { await bot.launch(); })();
    `;
    await using daemon = run(launching(source), { env: { FATAL: 'the token was refused' } });
    await stopped(daemon);
    await daemon.end();
    expect(daemon.output).toContain('caught: the token was refused');
    expect(daemon.events()).not.toContain('fault');
  });

  it('has what onLaunch throws reject it', async () => {
    await using api = await botApi();
    const source = `bot.launch(() => { throw new Error('not ready') })`;
    await using daemon = run(launching(source), { env: { TELEGRAM_API_ROOT: api.root, CONNECT: 'hello' } });
    expect(await daemon.waitFor('fault')).toMatchObject({
      origin: 'unhandledRejection',
      message: 'not ready',
    });
  });
});

describe('stop', () => {
  it('asks for the stop, with its reason, and throws in no state', async () => {
    const source = `
      bot.stop('too early');
      bot.launch();
      setTimeout(() => { bot.stop('enough'); bot.stop('twice'); console.log('asked'); }, 50);
      process.once('SIGTERM', () => { bot.stop('SIGTERM'); console.log('listener'); });
    `;
    await using daemon = run(launching(source));
    expect(await daemon.waitFor('stop requested')).toMatchObject({ bot: '4711', reason: 'enough' });
    const line = await daemon.waitFor('stopped');
    expect(line['failed']).toBeUndefined();
    expect(daemon.events().filter((event) => event === 'stop requested')).toHaveLength(1);
    expect(daemon.output).toContain('asked');
    expect(daemon.output.match(/listener/g)).toHaveLength(1);
  });
});

describe('stop-signal listeners', () => {
  it('are held back until the drain has ended, and called as Node calls them', async () => {
    const source = `
      bot.launch();
      process.on('SIGINT', function (...args) { console.log('SIGINT', this === process, JSON.stringify(args)); });
      process.on('SIGTERM', (...args) => console.log('SIGTERM', JSON.stringify(args)));
    `;
    await using daemon = run(launching(source), { env: { DRAIN_MS: '100' } });
    await stopped(daemon, 'SIGINT');
    const [beforeDrained, afterDrained] = daemon.output.split('"drained"');
    expect(beforeDrained).not.toContain('SIGINT true');
    expect(afterDrained).toContain('SIGINT true ["SIGINT",2]');
    expect(daemon.output).not.toContain('SIGTERM [');
  });

  it.each([
    ['SIGHUP', 'SIGTERM', ['SIGINT', 'SIGTERM']],
    ['SIGTERM', 'SIGINT', ['SIGINT']],
  ] as const)('for %s fall back to those for %s', async (sent, called, registered) => {
    const listeners = registered.map(
      (name) => `process.on('${name}', (name) => console.log('called for', name));`,
    );
    await using daemon = run(launching(`bot.launch(); ${listeners.join('')}`));
    await stopped(daemon, sent);
    expect(daemon.output.match(/called for \w+/g)).toEqual([`called for ${called}`]);
  });

  it('are added, seen and removed by every method, and lastcall keeps its own', async () => {
    const source = `
      bot.launch();
      const say = (text) => { const f = () => console.log('called', text); f.text = text; return f; };
      const seen = () => process.listeners('SIGTERM').map((f) => f.text ?? 'unknown').join();
      console.log('at first', process.listenerCount('SIGTERM'), process.eventNames().includes('SIGTERM'));
      const [a, b, c, d, e] = [...'abcde'].map(say);
      console.log('chained', process.on('SIGTERM', a).once('SIGTERM', b).addListener('SIGTERM', c) === process);
      process.prependListener('SIGTERM', d).prependOnceListener('SIGTERM', e);
      console.log('seen', seen(), process.listenerCount('SIGTERM'), process.rawListeners('SIGTERM').length);
      process.off('SIGTERM', a).removeListener('SIGTERM', c);
      console.log('left', seen(), process.eventNames().includes('SIGTERM'));
      process.on('SIGINT', a).removeAllListeners('SIGINT');
      process.removeAllListeners('SIGTERM');
      console.log('none', process.listenerCount('SIGTERM'), process.listenerCount('SIGINT'));
      process.on('message', a).on('uncaughtException', a).removeAllListeners();
      const { listenerCount } = require('node:events').prototype;
      console.log('others', process.listenerCount('uncaughtException'), listenerCount.call(process, 'uncaughtException'));
      process.on('SIGTERM', d).once('SIGTERM', e);
    `;
    await using daemon = run(launching(source));
    const line = await stopped(daemon);
    const said = (word: string) => new RegExp(`^${word} (.*)$`, 'm').exec(daemon.output)?.[1];
    expect(said('at first')).toBe('0 false');
    expect(said('chained')).toBe('true');
    expect(said('seen')).toBe('e,d,a,b,c 5 5');
    expect(said('left')).toBe('e,d,b true');
    expect(said('none')).toBe('0 0');
    expect(said('others')).toBe('0 1');
    expect(daemon.output.match(/^called \w$/gm)).toEqual(['called d', 'called e']);
    expect(line['failed']).toBeUndefined();
  });

  it('for a signal that lastcall does not listen for are called by it, as ever', async () => {
    await using daemon = run(launching(`bot.launch(); process.on('SIGQUIT', () => bot.stop('SIGQUIT'));`));
    await daemon.waitFor('loaded');
    daemon.kill('SIGQUIT');
    expect(await daemon.waitFor('stop requested')).toMatchObject({ reason: 'SIGQUIT' });
  });

  it('may be waited for with events.once', async () => {
    const source = `
      bot.launch();
      require('node:events').once(process, 'SIGTERM').then(([name]) => console.log('heard', name));
    `;
    await using daemon = run(launching(source));
    await stopped(daemon);
    expect(daemon.output).toContain('heard SIGTERM');
  });

  it('a program may ask for its own stop with process.emit or process.kill', async () => {
    for (const ask of ["process.emit('SIGTERM')", "process.kill(process.pid, 'SIGTERM')"]) {
      const source = `
        bot.launch();
        process.on('SIGTERM', () => console.log('listener'));
        setTimeout(() => ${ask}, 50);
      `;
      await using daemon = run(launching(source));
      const line = await daemon.waitFor('stopped');
      expect(line['failed']).toBeUndefined();
      expect(daemon.output).toContain('listener');
      const [beforeDrained] = daemon.output.split('"drained"');
      expect(beforeDrained).not.toContain('listener');
    }
  });

  it('a listener that lets the signal end its own process is no second signal', async () => {
    const source = `
      bot.launch();
      process.once('SIGTERM', () => process.kill(process.pid, 'SIGTERM'));
    `;
    await using daemon = run(launching(source));
    const line = await stopped(daemon);
    expect(line).toMatchObject({ hastened: 0 });
    expect(line['failed']).toBeUndefined();
  });

  it("for pm2's message are held back as well", async () => {
    const source = `
      bot.launch();
      process.on('message', (message) => console.log('told', message));
      process.on('SIGTERM', () => console.log('called for SIGTERM'));
    `;
    await using daemon = run(launching(source), { ipc: true, env: { DRAIN_MS: '100' } });
    await daemon.waitFor('loaded');
    daemon.child.send('not to be held back');
    daemon.child.send('shutdown');
    await daemon.waitFor('stopped');
    const [beforeDrained, afterDrained] = daemon.output.split('"drained"');
    expect(beforeDrained).toContain('told not to be held back');
    expect(beforeDrained).not.toContain('told shutdown');
    expect(afterDrained).toContain('told shutdown');
    expect(daemon.output).not.toContain('called for SIGTERM');
  });
});

describe("the program's turn in the stop", () => {
  it('waits for what a listener returns', async () => {
    const source = `
      bot.launch();
      process.once('SIGTERM', async () => {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        console.log('cleaned up');
      });
    `;
    await using daemon = run(launching(source));
    const line = await stopped(daemon);
    expect(line['failed']).toBeUndefined();
    expect(line['tookMs']).toBeGreaterThan(1490);
    expect(daemon.output).toContain('cleaned up');
  });

  it('runs the database closer after the last handler, and waits for it', async () => {
    const file = join(folder, 'closes-database.txt');
    await using daemon = run(fixture('bots', 'closes-database.js'), { env: { DATABASE: file } });
    expect((await stopped(daemon))['failed']).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe('closed\n');
  });

  it('waits for code behind launch(), up to its process.exit', async () => {
    const file = join(folder, 'code-after-launch.txt');
    await using daemon = run(fixture('bots', 'code-after-launch.js'), { env: { DATABASE: file } });
    const line = await stopped(daemon);
    expect(line['failed']).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe('closed\n');
    expect(await daemon.end()).toMatchObject({ code: 0 });
    expect(daemon.events()).not.toContain('fault');
  });

  it('calls listeners before launch() resolves, as a signal does without lastcall', async () => {
    const source = `
      bot.launch().then(() => console.log('behind launch'));
      process.once('SIGTERM', () => { bot.stop(); console.log('listener'); });
    `;
    await using daemon = run(launching(source));
    await stopped(daemon);
    expect(daemon.output.match(/^(listener|behind launch)$/gm)).toEqual(['listener', 'behind launch']);
  });

  it('is over in under 20 ms when nothing is open, though the program has used files, timers and sockets', async () => {
    await using api = await botApi();
    const source = `
      require('node:fs').promises.readFile(__filename).then(() => console.log('read'));
      setTimeout(() => {}, 10);
      process.once('SIGTERM', () => bot.stop('SIGTERM'));
      bot.launch();
    `;
    const figures: number[] = [];
    for (let round = 0; round < 5; round++) {
      await using daemon = run(launching(source), { env: { TELEGRAM_API_ROOT: api.root, CONNECT: 'hello' } });
      await daemon.waitFor('update');
      const line = await stopped(daemon);
      expect(daemon.events()).not.toContain('left open');
      figures.push(Number(line['tookMs']));
    }
    expect(median(figures)).toBeLessThan(20);
  });

  it.each([
    ['a timer', '', `setTimeout(() => { console.log('finished'); process.exit(0); }, 300);`],
    [
      'a server',
      `const server = net.createServer((socket) => socket.resume()).listen(0);
       const client = net.connect(server.address().port);`,
      `server.close(() => { console.log('finished'); process.exit(0); });
       setTimeout(() => client.end(), 300).unref();`,
    ],
    ['a file', '', `fs.writeFile(__filename + '.out', 'x'.repeat(1e7), () => console.log('finished'));`],
    ['a child process', '', `cp.exec('sleep 0.3', () => console.log('finished'));`],
  ])('waits for %s that a listener works with', async (_, open, work) => {
    const source = `
      const [fs, net, cp] = ['node:fs', 'node:net', 'node:child_process'].map(require);
      ${open}
      bot.launch();
      process.once('SIGTERM', () => { bot.stop('SIGTERM'); ${work} });
    `;
    await using daemon = run(launching(source));
    const line = await stopped(daemon);
    expect(line['failed']).toBeUndefined();
    expect(line['tookMs']).toBeLessThan(900);
    expect(daemon.output).toContain('finished');
    expect(daemon.events()).not.toContain('left open');
  });

  it('gives a program that never ends by itself its grace, and says what it has left open', async () => {
    const source = `
      const server = require('node:net').createServer().listen(0, () => bot.launch());
      process.once('SIGTERM', () => bot.stop('SIGTERM'));
    `;
    await using daemon = run(launching(source), { env: { GRACE_MS: '400' } });
    const line = await stopped(daemon);
    expect(line['failed']).toBeUndefined();
    expect(line['tookMs']).toBeGreaterThan(390);
    expect(line['tookMs']).toBeLessThan(600);
    expect(await daemon.waitFor('left open')).toMatchObject({ kinds: ['TCPServerWrap'] });
  });

  it('ends the grace before the hook is overdue', async () => {
    const source = `require('node:net').createServer().listen(0, () => bot.launch());`;
    await using daemon = run(launching(source), { env: { CAP_MS: '500' } });
    const line = await stopped(daemon);
    expect(line['failed']).toBeUndefined();
    expect(line['tookMs']).toBeLessThan(500);
  });

  it('does not wait for timers that were running before: a bot that cleans up every minute', async () => {
    await using daemon = run(launching(`bot.launch(); setInterval(() => {}, 60_000);`));
    expect((await stopped(daemon))['tookMs']).toBeLessThan(100);
    expect(daemon.events()).not.toContain('left open');
  });

  it('is over when nothing is left to do, though what a listener returns will never settle', async () => {
    const source = `bot.launch(); process.once('SIGTERM', () => new Promise(() => {}));`;
    await using daemon = run(launching(source));
    const line = await stopped(daemon);
    expect(line['failed']).toBeUndefined();
    expect(line['tookMs']).toBeLessThan(100);
  });

  it('is cut when what a listener returns does not settle', async () => {
    const source = `
      bot.launch();
      process.once('SIGTERM', () => new Promise((resolve) => setTimeout(resolve, 60_000)));
    `;
    await using daemon = run(launching(source), { env: { CAP_MS: '300' } });
    expect((await stopped(daemon))['failed']).toMatchObject({ message: 'overdue' });
  });

  it.each([
    ['throws', `throw new Error('no disk')`],
    ['rejects', `return Promise.reject(new Error('no disk'))`],
  ])('fails when a listener %s, but calls the others', async (_, failure) => {
    const source = `
      bot.launch();
      process.once('SIGTERM', () => { ${failure}; });
      process.once('SIGTERM', () => console.log('the other'));
    `;
    await using daemon = run(launching(source));
    expect((await stopped(daemon))['failed']).toEqual({
      code: 'HOOK_FAILED',
      message: 'a stop listener of the program failed: no disk',
      cause: 'no disk',
    });
    expect(daemon.output).toContain('the other');
    expect(daemon.events()).not.toContain('fault');
  });
});

describe('process.exit', () => {
  it.each([
    ['at once', ''],
    ['after a promise', 'await null;'],
    [
      'inside a try that catches everything',
      'try { process.exit(code); } catch (error) { process.exit(9); }',
    ],
  ])('in a listener, %s, ends its turn and nothing else', async (_, before) => {
    for (const code of [0, 3]) {
      const source = `
        bot.launch();
        const code = ${code};
        process.once('SIGTERM', ${before.includes('await') ? 'async' : ''} () => {
          ${before}
          process.exit(code);
          console.log('not reached');
        });
        process.once('SIGTERM', () => console.log(${before.includes('await') ? '' : "'not reached'"}));
        require('node:net').createServer().listen(0);
      `;
      await using daemon = run(launching(source));
      const line = await stopped(daemon);
      expect(line['tookMs']).toBeLessThan(100);
      if (code === 0) expect(line['failed']).toBeUndefined();
      else
        expect(line['failed']).toMatchObject({
          code: 'HOOK_FAILED',
          message: 'the program asked for exit code 3 when it was stopped',
        });
      expect(await daemon.end()).toMatchObject({ code: code === 0 ? 0 : 1 });
      expect(daemon.output).not.toContain('not reached');
      expect(daemon.events()).not.toContain('fault');
    }
  });

  it('in a later callback is no fault either', async () => {
    const source = `
      bot.launch();
      process.once('SIGTERM', () => setTimeout(() => process.exit(0), 30));
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    `;
    await using daemon = run(launching(source));
    expect((await stopped(daemon))['failed']).toBeUndefined();
    await daemon.end();
    expect(daemon.events()).not.toContain('fault');
    expect(daemon.output).not.toContain('uncaught');
  });

  it("in the program's listener for uncaught exceptions does not end the stop", async () => {
    const source = `
      bot.launch();
      process.on('uncaughtException', (error) => { console.log('uncaught', error.message); process.exit(1); });
      process.once('SIGTERM', () => setTimeout(() => { throw new Error('late trouble'); }, 20));
    `;
    await using daemon = run(launching(source));
    const line = await stopped(daemon);
    expect(line['failed']).toMatchObject({ code: 'HOOK_FAILED' });
    expect(daemon.output).toContain('uncaught late trouble');
    expect(daemon.events()).toContain('exited by fault');
    expect(await daemon.end()).toMatchObject({ code: 1 });
  });

  it('during the drain ends the turn before it begins', async () => {
    const source = `
      bot.launch();
      process.on('SIGUSR2', () => { console.log('exits'); process.exit(0); });
      process.once('SIGTERM', () => console.log('listener'));
    `;
    await using daemon = run(launching(source), { env: { DRAIN_MS: '200' } });
    await daemon.waitFor('loaded');
    daemon.kill('SIGTERM');
    await daemon.waitFor('stopping');
    daemon.kill('SIGUSR2');
    expect((await daemon.waitFor('stopped'))['failed']).toBeUndefined();
    expect(daemon.output).toContain('exits');
    expect(daemon.output).not.toContain('listener');
    expect(daemon.events()).not.toContain('fault');
  });

  it('counts the first time only: code that takes the exit for an error cannot take it back', async () => {
    const source = `
      async function main() {
        await bot.launch();
        process.exit(0);
      }
      main().catch((error) => { console.error(error); process.exit(1); });
    `;
    await using daemon = run(launching(source));
    expect((await stopped(daemon))['failed']).toBeUndefined();
    expect(daemon.events()).not.toContain('fault');
  });

  it('without a code means process.exitCode, which also counts by itself', async () => {
    for (const ending of ['process.exitCode = 4; process.exit()', 'process.exitCode = 4']) {
      await using daemon = run(launching(`bot.launch(); process.once('SIGTERM', () => { ${ending} });`));
      expect((await stopped(daemon))['failed']).toMatchObject({
        message: 'the program asked for exit code 4 when it was stopped',
      });
    }
  });

  it('before the stop is real, and the host may say its last word', async () => {
    await using daemon = run(fixture('bots', 'needs-token.js'), {}, '');
    expect(await daemon.end()).toMatchObject({ code: 1 });
    expect(daemon.lines.at(-1)).toMatchObject({ event: 'exiting', exitCode: 1 });
    expect(daemon.output).toContain('BOT_TOKEN is not set');
  });

  it('of a program that exits in its signal handler', async () => {
    await using daemon = run(fixture('bots', 'exits-on-signal.js'));
    expect((await stopped(daemon, 'SIGINT'))['failed']).toBeUndefined();
    expect(await daemon.end()).toMatchObject({ code: 0 });
  });
});
