/** What waits of a sandbox say when they are over, and when they are. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Markup, Telegraf } from 'telegraf';
import { createSandbox, type Sandbox, SandboxError } from '../../../src/sandbox/index.js';
import { nextSteps } from '../../../src/sandbox/library/sandbox-error.js';
import { newToken } from '../../support/token.js';

/** For what is waited for in vain, when the bot has done what it does. */
const SHORT = { within: 1 } as const;

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox();
});

const telegraf = (register: (bot: Telegraf) => void = () => {}, token = sandbox.token) => {
  const bot = new Telegraf(token, { telegram: { apiRoot: sandbox.apiRoot } });
  register(bot);
  return bot;
};

/** Starts a bot that polls, and ends with an error once it was started. */
async function startOneThatFails(error: Error): Promise<void> {
  let fail = (_: Error) => {};
  const running = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const { telegram } = telegraf();
  await sandbox.start({
    start: () => {
      void telegram.callApi('getUpdates', {});
      return running;
    },
    stop() {},
  });
  fail(error);
}

/** The error of a wait. */
async function errorOf(wait: Promise<unknown>): Promise<SandboxError> {
  const error = await wait.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SandboxError)) throw new Error(`not rejected with a SandboxError: ${error}`);
  return error;
}

describe('a wait in vain', () => {
  afterEach(() => sandbox.close());

  it('shows what the bot has done instead, and with what status', async () => {
    await sandbox.start(
      telegraf((bot) =>
        bot.on('text', async (ctx) => {
          await ctx.reply('Good morning');
          await ctx.reply('<b>', { parse_mode: 'HTML' }).catch(() => {});
        }),
      ),
    );
    const ann = sandbox.person('Ann');
    await ann.say('hi');
    await sandbox.settled();
    const error = await errorOf(ann.hears(/hello/i, SHORT));
    expect(error.code).toBe('NOT_HEARD');
    expect(error.message.split('\n')).toEqual([
      'Ann has not heard /hello/i within 1 ms.',
      expect.stringMatching(
        /^The newest update here, message \d+, was delivered and confirmed \(by offset \d+\)\.$/,
      ),
      'Since then the bot has called:',
      '  sendMessage {"chat_id":101,"text":"Good morning"} → 200',
      `  sendMessage {"chat_id":101,"parse_mode":"HTML","text":"<b>"} → 400 Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b"`,
      'Not heard so far: "Good morning".',
      'Next step: see why the call above was refused.',
    ]);
    expect(error.stack).toContain('waits.test.ts');
  });

  it('says where else the bot has written what is expected', async () => {
    await sandbox.start(
      telegraf((bot) => {
        bot.on('text', async (ctx) => {
          await ctx.reply('first');
          await ctx.reply('second');
          await ctx.telegram.sendMessage(team.id, 'in the group');
        });
      }),
    );
    const [ann, bob] = [sandbox.person('Ann'), sandbox.person('Bob')];
    const team = sandbox.group({ title: 'Team', members: [ann] });
    await ann.say('hi');
    await ann.hears('second');
    await sandbox.settled();
    const before = await errorOf(ann.hears(/^first/, SHORT));
    expect(before.message).toContain('"first" was heard or passed over before.');
    expect(before.nextStep).toContain('hear it earlier');
    const inGroup = await errorOf(ann.hears('in the group', SHORT));
    expect(inGroup.message).toContain('The bot has written "in the group" in the group "Team".');
    expect(inGroup.nextStep).toContain('person.in(group)');
    expect((await errorOf(bob.hears('first', SHORT))).message).toContain('in the private chat with Ann.');
    expect((await errorOf(ann.hears(({ text }) => text === 'first', SHORT))).message).not.toContain('before');
  });

  it('finds out why a bot has not answered', async () => {
    const ann = sandbox.person('Ann');
    await ann.say('hi');
    const stepOf = async () => (await errorOf(ann.hears('x', SHORT))).nextStep;
    expect(await stepOf()).toContain('it has not called this server yet');

    const otherToken = newToken();
    await telegraf(() => {}, otherToken).telegram.getMe();
    expect(await stepOf()).toContain(`a bot with another one has called, ${Number.parseInt(otherToken, 10)}`);

    const bot = telegraf((made) => made.on('text', () => {}));
    await bot.telegram.setWebhook('https://example.org/hook');
    expect(await stepOf()).toContain('without a webhook');
    await bot.telegram.deleteWebhook();
    expect(await stepOf()).toContain('it has not polled yet');

    await sandbox.start(bot);
    await ann.say('hi again');
    await sandbox.settled();
    expect(await stepOf()).toContain('handled without a call');
  });

  it('tells a handler that is stuck from a bot that does not come back', async () => {
    let release = () => {};
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    await sandbox.start(
      telegraf((bot) =>
        bot.on('text', async (ctx) => {
          await ctx.sendChatAction('typing');
          await stuck;
        }),
      ),
    );
    const ann = sandbox.person('Ann');
    await ann.say('one');
    await sandbox.waitFor(() => sandbox.calls({ method: 'sendChatAction' })[0]?.answered !== undefined);
    const first = await errorOf(ann.hears('x', SHORT));
    expect(first.message).toContain('was delivered once and is not confirmed yet');
    expect(first.nextStep).toContain('what the handler waits for');
    await ann.say('two');
    const second = await errorOf(ann.hears('x', SHORT));
    expect(second.message).toContain('waits for the bot to poll');
    expect(second.nextStep).toContain('an earlier update is still running');
    expect((await errorOf(sandbox.settled(SHORT))).message).toContain(
      '2 not confirmed, it does not wait in a poll',
    );
    release();
    await sandbox.settled();
  });

  it('names the buttons that there are, and a press that the bot leaves unanswered', async () => {
    await sandbox.start(
      telegraf((bot) => {
        bot.start((ctx) =>
          ctx.reply(
            '?',
            Markup.inlineKeyboard([
              Markup.button.callback('Yes', 'y'),
              Markup.button.url('More', 'https://example.org'),
            ]),
          ),
        );
        bot.action('y', () => {});
      }),
    );
    const ann = sandbox.person('Ann');
    await ann.say('/start');
    await ann.hears('?');
    expect((await errorOf(ann.press('No', SHORT))).message).toContain('there is Yes, More');
    expect(await errorOf(ann.press('Yes', SHORT))).toMatchObject({ code: 'NOT_ANSWERED' });
    const opens = await errorOf(ann.press('More'));
    expect(opens.message).toContain('does not tell a bot of a press on a button with url');
    expect(opens.nextStep).toContain('the url that it opens');
  });

  it('does not hear what it should not', async () => {
    await sandbox.start(telegraf((bot) => bot.on('text', (ctx) => ctx.reply('oh'))));
    const ann = sandbox.person('Ann');
    await ann.say('hi');
    expect((await errorOf(ann.hearsNothing())).message).toContain('Ann has heard "oh".');
  });

  it('shows a condition that was not true', async () => {
    const error = await errorOf(sandbox.waitFor(() => sandbox.calls().length > 99, SHORT));
    expect(error.message).toContain('sandbox.calls().length > 99 was not true within 1 ms');
    await expect(sandbox.waitFor(() => JSON.parse('{'))).rejects.toThrow(SyntaxError);
  });

  it('refuses a time limit that is none', async () => {
    expect(await errorOf(sandbox.settled({ within: '3 seconds' as never }))).toMatchObject({
      code: 'MISUSED',
    });
    expect((await errorOf(createSandbox({ within: 'soon' as never }))).message).toContain(
      'within must be a duration',
    );
  });
});

describe('a bot that is started', () => {
  it('is waited for, and told apart from one that goes elsewhere', async () => {
    const hasty = await createSandbox({ within: 50 });
    const elsewhere = { start: () => new Promise(() => {}), stop() {} };
    const error = await errorOf(hasty.start(elsewhere, SHORT));
    expect(error).toMatchObject({ code: 'BOT_NOT_POLLING' });
    expect(error.nextStep).toContain('sandbox.apiRoot');
    expect(await errorOf(hasty.close())).toMatchObject({ code: 'BOT_NOT_STOPPED' });
  });

  it('ends the waits at once when it ends with an error', async () => {
    const thrown = new Error('no such order');
    const bot = telegraf((made) => {
      made.on('text', () => {
        throw thrown;
      });
      made.catch((error) => {
        throw error;
      });
    });
    await sandbox.start(bot);
    const ann = sandbox.person('Ann');
    await ann.say('hi');
    const error = await errorOf(ann.hears('x'));
    expect(error).toMatchObject({ code: 'BOT_FAILED', cause: thrown });
    expect(error.message).toContain('The bot has ended with an error: no such order');
    expect(error.stack).toContain('waits.test.ts');

    await sandbox.start(telegraf((made) => made.on('text', (ctx) => ctx.reply('better'))));
    await ann.say('hi again');
    await ann.hears('better');
    await sandbox.close();
  });

  it('is replaced by the next, which the error of the first does not concern', async () => {
    await startOneThatFails(new Error('unseen'));
    await sandbox.start(telegraf((made) => made.on('text', (ctx) => ctx.reply('better'))));
    const ann = sandbox.person('Ann');
    await ann.say('hi');
    await ann.hears('better');
    expect((await errorOf(sandbox.close())).message).toContain('unseen');
  });

  it('tells how it has ended to a test that expects it', async () => {
    const thrown = new Error('no such order');
    const crashing = telegraf((made) => {
      made.on('text', () => {
        throw thrown;
      });
      made.catch((error) => {
        throw error;
      });
    });
    const first = await sandbox.start(crashing);
    await sandbox.person('Ann').say('hi');
    expect(await first.ended).toBe(thrown);
    expect(await errorOf(sandbox.settled(SHORT))).toMatchObject({ code: 'NOT_SETTLED' });

    const second = await sandbox.start(telegraf());
    await second.stop();
    expect(await second.ended).toBeUndefined();
    await sandbox.close();
  });

  it('is stopped by the close while it is being launched', async () => {
    const bot = telegraf();
    const starting = errorOf(sandbox.start(bot));
    await sandbox.close();
    expect(await starting).toMatchObject({ code: 'CLOSED' });
    expect(() => bot.stop()).not.toThrow();
  });

  it('is not stopped by a function that fails, which the error names', async () => {
    const hasty = await createSandbox({ within: 50 });
    const stubborn = {
      start: () => new Promise(() => {}),
      stop() {
        throw new Error('not now');
      },
    };
    await errorOf(hasty.start(stubborn, SHORT));
    expect((await errorOf(hasty.close())).message).toContain('its own function for that has failed, not now');
  });

  it('makes the close fail with an error that nobody was told', async () => {
    await startOneThatFails(new Error('unseen'));
    await new Promise((resolve) => setImmediate(resolve));
    expect((await errorOf(sandbox.close())).message).toContain('unseen');
  });

  it('is stopped by the close, which is over at once and may be called again', async () => {
    const bot = telegraf();
    await sandbox.start(bot);
    const began = performance.now();
    await sandbox.close();
    expect(performance.now() - began).toBeLessThan(1_200);
    await sandbox.close();
  });
});

it('ends what is awaited when the sandbox closes', async () => {
  const ann = sandbox.person('Ann');
  const waiting = errorOf(ann.hears('x'));
  await sandbox.close();
  expect(await waiting).toMatchObject({ code: 'CLOSED' });
  expect(await errorOf(ann.hears('x'))).toMatchObject({ code: 'CLOSED' });
  expect(await errorOf(ann.say('x'))).toMatchObject({ code: 'CLOSED' });
});

it('is one of several, which know nothing of each other', async () => {
  const bots = [sandbox, await createSandbox()];
  for (const [index, one] of bots.entries()) {
    const bot = new Telegraf(one.token, { telegram: { apiRoot: one.apiRoot } });
    bot.on('text', (ctx) => ctx.reply(`from ${index}`));
    await one.start(bot);
  }
  const people = bots.map((one) => one.person('Ann'));
  for (const ann of people) await ann.say('hi');
  await Promise.all(people.map((ann, index) => ann.hears(`from ${index}`)));
  expect(bots[0]?.token).not.toBe(bots[1]?.token);
  for (const one of bots) await one.close();
});

it('says where a port is in use', async () => {
  const port = Number(new URL(sandbox.apiRoot).port);
  expect(await errorOf(createSandbox({ port }))).toMatchObject({ code: 'MISUSED' });
  expect(await errorOf(createSandbox({ token: 'no token' }))).toMatchObject({ code: 'MISUSED' });
  await sandbox.close();
});

it.each(Object.entries(nextSteps))('says what to do about %s', (code, nextStep) => {
  const error = new SandboxError(code as keyof typeof nextSteps, 'It happened.');
  expect(error.message).toBe(`It happened.\nNext step: ${nextStep}.`);
  expect(nextStep).toMatch(/^\S.{15,}[^.\s]$/);
});
afterEach(() => sandbox.close().catch(() => {}));
