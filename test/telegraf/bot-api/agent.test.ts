import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/clock.js';
import { createBotApi } from '../../../src/telegraf/bot-api/bot-api.js';
import { cleanups, type Handler, hang, html, ok, serve } from './server.js';

describe("an agent of the bot's own", () => {
  class CountingAgent extends http.Agent {
    made = 0;
    override createConnection(...parameters: Parameters<http.Agent['createConnection']>) {
      this.made++;
      return super.createConnection(...parameters);
    }
  }

  it.each(['as it is', 'through a function'])('makes the connections: %s', async (form) => {
    const agent = new CountingAgent({ keepAlive: true });
    cleanups.push(() => agent.destroy());
    const t = await serve(ok, { agent: form === 'as it is' ? agent : () => agent });
    await t.poll();
    await t.poll();
    expect(agent.made).toBe(1);
    t.api.close();
    await t.poll();
    expect(agent.made).toBe(1);
  });

  it('lends no idle connection for the call after a failure', async () => {
    const agent = new CountingAgent({ keepAlive: true });
    cleanups.push(() => agent.destroy());
    let answer: Handler = hang;
    const t = await serve((response, request) => answer(response, request), { agent });
    // Three calls side by side, as handlers make them, leave three idle connections.
    const waiting: http.ServerResponse[] = [];
    answer = (response, request) => {
      waiting.push(response);
      if (waiting.length === 3) for (const each of waiting) ok(each, request);
    };
    await Promise.all([t.poll(), t.poll(), t.poll()]);
    answer = html(502);
    expect(await t.poll()).toMatchObject({ why: 'http' });
    answer = ok;
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.received.at(-1)).toMatchObject({ connection: 4, turn: 1 });
    expect(agent.made).toBe(4);
  });

  it('is asked for anew for each call, where the bot chooses one for each', async () => {
    const agents = [new CountingAgent(), new CountingAgent()];
    let chosen = 0;
    const t = await serve(ok, { agent: () => agents[chosen] });
    await t.poll();
    chosen = 1;
    await t.poll();
    expect(agents.map(({ made }) => made)).toEqual([1, 1]);
  });

  it('has room for polls beside the calls of handlers, until the client is closed', async () => {
    const agent = new CountingAgent({ keepAlive: true, maxSockets: 1 });
    cleanups.push(() => agent.destroy());
    const waiting: (() => void)[] = [];
    const t = await serve(
      (response, request) => {
        if (waiting.length === 0) waiting.push(() => ok(response, request));
        else ok(response, request);
      },
      { agent },
    );
    const poll = t.poll();
    await once(t.server, 'received');
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    waiting[0]?.();
    await poll;
    t.api.close();
    expect(agent.maxSockets).toBe(1);
  });

  it('that is for another protocol is refused by name', () => {
    const client = (agent: http.Agent) => ({
      token: '1:a',
      options: { apiRoot: 'https://bot-api.test', apiMode: 'bot' as const, testEnv: false, agent },
    });
    expect(() => createBotApi(client(new http.Agent()), systemClock)).toThrow(
      expect.objectContaining({ code: 'BOT_AGENT', message: expect.stringContaining('an agent for http') }),
    );
    createBotApi(client(new https.Agent()), systemClock).close();
  });

  it('that cannot be chosen is told, and tried again', async () => {
    let fails = false;
    const t = await serve(ok, {
      agent: () => {
        if (fails) throw new Error('no proxy left');
        return undefined;
      },
    });
    fails = true;
    expect(await t.poll()).toMatchObject({
      why: 'network',
      detail: expect.stringContaining('no proxy left'),
    });
    fails = false;
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
  });
});
