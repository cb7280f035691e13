import http from 'node:http';
import { describe, expect, it } from '@jest/globals';
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
});
