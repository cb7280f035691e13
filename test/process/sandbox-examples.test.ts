/**
 * Bots such as Telegraf's own examples, as programs that know nothing of lastcall: each does against the sandbox what it
 * does against Telegram, and the same under `lastcall run`.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';
import { type Daemon, fixture, spawnDaemon } from '../support/daemon.js';
import { Talk } from '../support/talk.js';
import { newToken } from '../support/token.js';

// Nine programs start at once.
jest.setTimeout(60_000);

type Chat = (talk: Talk) => Promise<void>;

/** What a person does with each, by the name of its file. */
const examples: Readonly<Record<string, Chat>> = {
  async echo(talk) {
    talk.say('/start');
    await talk.shows(() => expect(talk.last?.text).toBe('Hello'));
    talk.say('anything');
    await talk.shows(() =>
      expect(talk.last).toMatchObject({ text: 'anything', from: { is_bot: true }, reply_markup: {} }),
    );
    talk.press('Delete');
    await talk.shows(() => expect(talk.last).toMatchObject({ from: { first_name: 'Ada' } }));
    expect(() => talk.press('♥')).toThrow('there is none at all');
  },

  async keyboards(talk) {
    talk.say('/custom');
    await talk.shows(() => expect(talk.keyboard).toMatchObject({ one_time_keyboard: true }));
    talk.press('Search');
    await talk.shows(() => expect(talk.last?.text).toBe('Yay!'));
    talk.say('/special');
    await talk.shows(() => expect(talk.last?.text).toBe('Special buttons keyboard'));
    talk.press('Send contact');
    await talk.shows(() => expect(talk.last?.text).toBe('Thanks, Ada'));
    expect(talk.keyboard).toEqual({ remove_keyboard: true });
    talk.say('/inline');
    await talk.shows(() =>
      expect(talk.last).toMatchObject({
        text: 'Coke or Pepsi?',
        entities: [{ type: 'bold' }, { type: 'italic' }],
      }),
    );
    talk.press('Coke');
    await talk.shows(() => expect(talk.toast).toBe('Oh, Coke! Great choice'));
    talk.say('/caption');
    await talk.shows(() => expect(talk.last).toMatchObject({ caption: 'Caption', photo: [{}] }));
    talk.press('Italic');
    await talk.shows(() =>
      expect(talk.last).toMatchObject({ caption: 'Caption', caption_entities: [{ type: 'italic' }] }),
    );
    talk.press('Plain');
    await talk.shows(() => expect(talk.last).not.toHaveProperty('caption_entities'));
  },

  async media(talk) {
    talk.say('/stream');
    await talk.shows(() => expect(talk.last).toMatchObject({ photo: [{ file_size: 13 }] }));
    const photo = talk.messages.flatMap((message) => message['photo'] ?? []);
    talk.say('/buffer');
    await talk.shows(() => expect(talk.last).toMatchObject({ photo: [{ file_size: 11 }] }));
    talk.say('/caption');
    await talk.shows(() =>
      expect(talk.last).toMatchObject({ caption: 'Caption text', caption_entities: [{ type: 'bold' }] }),
    );
    talk.say('/album');
    await talk.shows(() => {
      const album = talk.messages.slice(-3);
      expect(album.map(({ caption }) => caption)).toEqual(['From file_id', 'From URL', 'From buffer']);
      expect(new Set(album.map(({ media_group_id: group }) => group)).size).toBe(1);
    });
    talk.say('/edit_media');
    await talk.shows(() => expect(talk.last).toHaveProperty('animation'));
    talk.press('Change media');
    await talk.shows(() =>
      expect(talk.last).toMatchObject({ animation: { file_id: 'https://example.org/second.gif' } }),
    );
    talk.send({ document: photo[0] });
    await talk.shows(() => expect(talk.last?.text).toBe('It says: from a stream'));
  },

  async scenes(talk) {
    // One after the other, because Telegraf handles what it gets at once side by side.
    for (const [said, answered] of [
      ['hello', 'Try /echo or /greeter'],
      ['/greeter', 'Hi'],
      ['what?', 'Send hi'],
      ['/leave', 'Bye'],
      ['/echo', 'echo scene'],
      ['echoed', 'echoed'],
      ['/back', 'exiting echo scene'],
    ]) {
      talk.say(`${said}`);
      await talk.shows(() => expect(talk.answers.at(-1)).toBe(answered));
    }
  },

  async wizard(talk) {
    talk.say('begin');
    await talk.shows(() => expect(talk.last?.text).toBe('Step 1'));
    talk.say('nonsense');
    await talk.shows(() => expect(talk.last?.text).toBe('Press Next button or type /next'));
    talk.press('➡️ Next');
    await talk.shows(() => expect(talk.last?.text).toBe('Step 2. Via inline button'));
    talk.say('on');
    await talk.shows(() => expect(talk.last?.text).toBe('Done'));
  },

  async 'live-location'(talk) {
    const shown = () => talk.messages.findLast(({ location }) => location)?.['location'];
    talk.say('/start');
    await talk.shows(() => expect(shown()).toEqual({ latitude: 42, longitude: 42, live_period: 60 }));
    talk.say('move');
    await talk.shows(() => expect(shown()).toEqual({ latitude: 42.5, longitude: 42, live_period: 60 }));
    talk.say('stop');
    await talk.shows(() => expect(shown()).toEqual({ latitude: 42.5, longitude: 42 }));
  },

  async 'deep-linking'(talk) {
    talk.say('/start from-a-page');
    await talk.shows(() => expect(talk.last?.text).toBe('Deep link payload: from-a-page'));
  },

  async shop(talk) {
    talk.say('/buy');
    await talk.shows(() =>
      expect(talk.last).toMatchObject({ invoice: { currency: 'USD', total_amount: 5_200 } }),
    );
    talk.press('💸 Buy');
    await talk.shows(() => expect(talk.last?.text).toBe('Woohoo: 7200 by unicorn'));
  },

  async polls(talk) {
    talk.say('/poll');
    await talk.shows(() => expect(talk.last).toHaveProperty('poll'));
    talk.vote(1);
    await talk.shows(() => {
      expect(talk.answers).toContain('Votes: 1, closed: false');
      expect(talk.answers).toContain('You chose 1');
    });
    talk.say('/stop');
    await talk.shows(() => expect(talk.last?.text).toBe('Votes: 1, closed: true'));
    expect(() => talk.vote(0)).toThrow('the poll is closed');
  },
};

describe.each(['node', 'lastcall run'])('Under %s, the example', (runner) => {
  let sandbox: Sandbox;
  const bots = new Map<string, SandboxBot>();
  const programs: Daemon[] = [];

  // All at once, because most of the time is that of their starts.
  beforeAll(async () => {
    sandbox = await startSandbox();
    for (const name of Object.keys(examples)) {
      const bot = sandbox.bot(newToken());
      const file = fixture('examples', `${name}.js`);
      bots.set(name, bot);
      const env = { BOT_TOKEN: bot.token, TELEGRAM_API_ROOT: sandbox.apiRoot };
      programs.push(spawnDaemon(runner === 'node' ? { file, args: [], env } : { args: ['run', file], env }));
    }
    const all = [...bots.values()];
    await sandbox.waitFor(() => all.every((bot) => bot.callCount('getUpdates') > 0), 60_000);
  });

  afterAll(async () => {
    for (const program of programs) await program[Symbol.asyncDispose]();
    await sandbox.close();
  });

  it.each(Object.entries(examples))('%s', async (name, chat) => {
    const bot = bots.get(name);
    if (!bot) throw new Error(`${name} was not started`);
    await chat(new Talk(sandbox, bot));
  });

  it('stops when it is asked to, and has printed no error', async () => {
    const ends = await Promise.all(programs.map((program) => program.stop()));
    expect(ends).toEqual(ends.map(() => expect.objectContaining({ code: 0, signal: null })));
    for (const { output } of programs) expect(output).not.toMatch(/"level":"(error|fatal)"|Error/);
  });
});
