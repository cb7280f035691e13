import { describe, expect, it } from '@jest/globals';
import { parseArguments, refuseBadArguments } from '../../src/config/arguments.js';
import { flagOf, settingKeys, settings } from '../../src/config/schema.js';

const sentences = (args: readonly string[]) =>
  parseArguments(args).flags.problems.map(({ sentence }) => sentence);

describe('flags', () => {
  it('exist for every setting but the secrets', () => {
    for (const key of settingKeys) {
      const flag = flagOf(settings[key]);
      if (flag === undefined) {
        expect(settings[key].secret).toBe(true);
        continue;
      }
      expect(parseArguments([`--${flag}=text`]).flags).toEqual({
        values: { [key]: { name: flag, text: 'text' } },
        problems: [],
      });
    }
    expect(parseArguments([]).flags).toEqual({ values: {}, problems: [] });
  });

  it('take their value from the next argument or after "="; the last one wins', () => {
    const { flags } = parseArguments(['--stop-after', '30s', '--log-level=info', '--log-level', 'warn']);
    expect(flags.values).toEqual({
      stopAfterMs: { name: 'stop-after', text: '30s' },
      logLevel: { name: 'log-level', text: 'warn' },
    });
  });

  it('for yes and no may stand alone, with "no-" before them, or with a value', () => {
    const given = (...args: string[]) => parseArguments(args, { files: 1 }).flags.values.dropPending?.text;
    expect(given('--drop-pending')).toBe('yes');
    expect(given('--drop-pending', 'bot.js')).toBe('yes');
    expect(given('--drop-pending=no')).toBe('no');
    expect(given('--no-drop-pending')).toBe('no');
  });

  it('that nobody knows are refused, with what was probably meant', () => {
    expect(sentences(['--stop-afetr', '30s'])).toEqual([
      '--stop-afetr is not a flag; did you mean --stop-after?',
    ]);
    expect(sentences(['--STOP_AFTER', '30s'])).toEqual([
      '--STOP_AFTER is not a flag; did you mean --stop-after?',
    ]);
    expect(sentences(['--no-stop-after'])).toEqual([
      '--no-stop-after is not a flag; did you mean --stop-after?',
    ]);
    expect(sentences(['--frobnicate=1', '-x'])).toEqual([
      '--frobnicate is not a flag that lastcall knows',
      '-x is not a flag that lastcall knows',
    ]);
  });

  it('without the value they need are refused', () => {
    for (const args of [['--stop-after'], ['--stop-after', '--drop-pending']])
      expect(sentences(args)).toEqual([expect.stringMatching(/^--stop-after needs a value: a duration/)]);
    expect(sentences(['--no-drop-pending=yes'])).toEqual(['--no-drop-pending takes no value']);
  });

  it('never hold a token', () => {
    expect(sentences(['--bot-token=123:abc'])).toEqual([
      '--bot-token is not a flag, because every user of this machine can read a command line; set BOT_TOKEN or BOT_TOKEN_FILE',
    ]);
  });
});

describe('the rest of the command line', () => {
  it("is the command's own options and its files", () => {
    const { options, files, flags } = parseArguments(
      ['--json', 'bot.js', '--for', '10s', '--', '--concurrency'],
      { options: { json: 'switch', for: 'value', help: 'switch' }, files: 2 },
    );
    expect([...options]).toEqual([
      ['json', 'yes'],
      ['for', '10s'],
    ]);
    expect(files).toEqual(['bot.js', '--concurrency']);
    expect(flags.problems).toEqual([]);
  });

  it('is refused where it does not fit', () => {
    const parsed = parseArguments(['a', 'b', '--json=x', '--for'], {
      options: { json: 'switch', for: 'value' },
      files: 1,
    });
    expect(parsed.files).toEqual(['a']);
    expect(parsed.flags.problems.map(({ sentence }) => sentence)).toEqual([
      '--json takes no value',
      '--for needs a value',
      '"b" is not expected here',
    ]);
    expect(() => refuseBadArguments(parsed)).toThrow('--json takes no value');
    expect(() => refuseBadArguments(parseArguments([]))).not.toThrow();
  });
});
