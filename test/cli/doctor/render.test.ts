import { describe, expect, it } from '@jest/globals';
import { type Group, shellWord, skipped, warning, well, wrong } from '../../../src/cli/doctor/finding.js';
import { asJson, isWrong, render } from '../../../src/cli/doctor/render.js';
import { callOf } from '../../../src/cli/doctor.js';
import { newToken } from '../../support/token.js';

const good: Group = { name: 'State', findings: [well('disk', '20 GB free')] };
const empty: Group = { name: 'Inbox', findings: [] };
const bad: Group = {
  name: 'Telegram',
  findings: [
    wrong('webhook', 'A webhook at hook.example takes the updates of the bot, so that polls are refused.', {
      cure: 'remove it:',
      commands: [`curl -s 'https://api.telegram.org/bot$BOT_TOKEN/deleteWebhook'`],
    }),
    warning('clock', 'The clock is slow.', { cure: 'have it set' }),
    skipped('rival', 'unknown'),
  ],
};
const plain = { colours: false, tookMs: 412, call: 'lastcall' };

describe('what doctor prints', () => {
  it('is one line a check that is well', () => {
    expect(render([good, empty], plain)).toBe(
      'State\n  ok       disk        20 GB free\n\nAll is well (looked for 412 ms).\n',
    );
  });

  it('says what to do, with commands in one piece', () => {
    expect(render([bad], plain)).toBe(`Telegram
  WRONG    webhook     A webhook at hook.example takes the updates of the bot,
                       so that polls are refused.
                       -> remove it:
                            curl -s 'https://api.telegram.org/bot$BOT_TOKEN/deleteWebhook'
  warning  clock       The clock is slow.
                       -> have it set
  skipped  rival       unknown

1 thing is wrong, 1 thing may become wrong (looked for 412 ms).
`);
  });

  it('says how much could not be told', () => {
    const unknown = { name: 'x', findings: [skipped('a', 'b')] };
    expect(render([unknown], plain)).toContain('All is well, as far as could be told: 1 check skipped (');
  });

  it('has colours only where they are wanted', () => {
    expect(render([bad], { ...plain, colours: true })).toContain('\u001b[1;31mWRONG');
    expect(render([bad], plain)).not.toContain('\u001b');
  });

  it('has commands as they have to be pasted', () => {
    const commands = [
      'sudo lastcall doctor',
      'INBOX=journal lastcall inbox',
      'journalctl -u lastcall -n 50',
      'npx lastcall run x',
    ];
    const group = { name: 'x', findings: [wrong('a', 'b', { commands })] };
    const text = render([group], { ...plain, call: 'npx lastcall' });
    expect(text).toContain('sudo npx lastcall doctor');
    expect(text).toContain('INBOX=journal npx lastcall inbox');
    expect(text).toContain('journalctl -u lastcall -n 50');
    expect(text).toContain(' npx lastcall run x');
    expect(callOf('/srv/bot/node_modules/lastcall/dist/cli/doctor.js')).toBe('npx lastcall');
    expect(callOf('/usr/lib/node_modules/lastcall/dist/cli/doctor.js')).toBe('lastcall');
    expect(callOf('/srv/lastcall/dist/cli/doctor.js')).toBe('lastcall');
  });

  it('has paths that a shell takes for one word', () => {
    expect(shellWord('/srv/bot/.env')).toBe('/srv/bot/.env');
    expect(shellWord("/srv/Ann's bot")).toBe(`'/srv/Ann'\\''s bot'`);
  });

  it('is wrong only by what is', () => {
    expect([isWrong([good]), isWrong([good, bad])]).toEqual([false, true]);
  });

  it('is JSON for programs, without a token', () => {
    const token = newToken();
    const json = asJson([good, { name: 'x', findings: [wrong('a', `see ${token}`, {})] }], 1.4);
    expect(json).not.toContain(token);
    expect(JSON.parse(json)).toEqual({
      ...{ verdict: 'wrong', tookMs: 1 },
      findings: [
        { group: 'State', check: 'disk', verdict: 'well', text: '20 GB free' },
        expect.objectContaining({ group: 'x', check: 'a', verdict: 'wrong' }),
      ],
    });
  });
});
