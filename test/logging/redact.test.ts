import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { errorFields } from '../../src/logging/error-fields.js';
import { createRedactor } from '../../src/logging/redact.js';
import { logInto } from './logging.js';
import { MemoryOutput } from './memory-output.js';

const TOKEN = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';
const MASKED = '123456789:***';

describe('the redactor', () => {
  const { redact } = createRedactor();

  it.each([
    ['plain', TOKEN, MASKED],
    ['in a URL', `https://api.telegram.org/bot${TOKEN}/getMe`, `https://api.telegram.org/bot${MASKED}/getMe`],
    ['percent-encoded', encodeURIComponent(TOKEN), MASKED],
    ['percent-encoded in lower case', TOKEN.replace(':', '%3a'), MASKED],
    ['percent-encoded twice', encodeURIComponent(encodeURIComponent(TOKEN)), MASKED],
    ['escaped as JSON', TOKEN.replace(':', '\\u003A'), MASKED],
    ['escaped as JSON in JSON', TOKEN.replace(':', '\\\\u003a'), MASKED],
    ['cut off', TOKEN.slice(0, -8), MASKED],
    ['twice', `${TOKEN} ${TOKEN}`, `${MASKED} ${MASKED}`],
    ['after digits and a colon', `12:${TOKEN}`, `12:${MASKED}`],
  ])('masks what looks like a token: %s', (_how, text, masked) => {
    expect(redact(text)).toBe(masked);
  });

  it.each([
    ['user and password', 'http://ann:secret@proxy.test:8080', 'http://***@proxy.test:8080'],
    ['an @ in the password', 'socks5h://ann:se@cret@proxy.test/', 'socks5h://***@proxy.test/'],
    ['within JSON', '{"input":"http://ann:secret@:x"}', '{"input":"http://***@:x"}'],
    ['of two URLs', 'http://a:b@c.test http://d:e@f.test', 'http://***@c.test http://***@f.test'],
  ])('masks the credentials in a URL: %s', (_how, text, masked) => {
    expect(redact(text)).toBe(masked);
  });

  it('masks a password that it knows, unless that is very short', () => {
    const { addPassword, redact: redactKnown } = createRedactor();
    addPassword('pass!word');
    addPassword('abc');
    expect(redactKnown('pass!word of abc')).toBe('*** of abc');
  });

  describe('knows a password of digits', () => {
    const { addPassword, redact: redactKnown } = createRedactor();
    addPassword('123456');

    it.each([
      ['in words', 'user ann, password 123456.', 'user ann, password ***.'],
      ['behind a name', 'ann:123456@proxy.test', 'ann:***@proxy.test'],
      ['percent-encoded', 'http%3A%2F%2Fann%3A123456%40proxy', 'http%3A%2F%2Fann%3A***%40proxy'],
      ['behind an encoded digit', 'ann%40123456', 'ann%40***'],
      ['as text in JSON', '{"msg":"\\"123456\\" -123456"}', '{"msg":"\\"***\\" -***"}'],
      ['as a number in JSON', '{"a":[123456,1],"b":123456}', '{"a":["***",1],"b":"***"}'],
    ])('and masks it as a whole number: %s', (_how, text, masked) => {
      expect(redactKnown(text)).toBe(masked);
    });

    it('and masks no part of another number', () => {
      const line =
        '{"updateId":9123456,"chat":-123456,"durationMs":123456.7,"x":0.123456,"msg":"update 1234567 of 0123456"}';
      expect(redactKnown(line)).toBe(line);
    });
  });

  it('leaves alone what does not', () => {
    const line = `{"level":"info","time":"2026-01-02T03:04:05.678Z","pid":123456,"updateId":987654321,"path":"/a:${'b'.repeat(40)}","id":"1234:${'x'.repeat(40)}"}`;
    expect(redact(line)).toBe(line);
  });

  it('is linear, whatever people write', () => {
    const texts = [
      '1'.repeat(300_000),
      `12345${'\\'.repeat(300_000)}`,
      '12345:'.repeat(50_000),
      '12345\\u003'.repeat(30_000),
      `@ ${'http://a'.repeat(40_000)}`,
      `@ http://${'a'.repeat(300_000)}`,
      `@ ${'a://'.repeat(75_000)}`,
      `@ http://${'a'.repeat(300_000)}`,
      `@ ${'a'.repeat(300_000)}://`,
    ];
    const from = performance.now();
    for (const text of texts) expect(redact(text)).toBe(text);
    expect(performance.now() - from).toBeLessThan(1_000);
  });

  it.each([
    '1:xxxxxxxxxxxxxxxxxxxx',
    'pass word+(1) and more',
    'a"b\\c and more of it',
    '42:TEST_token-1-of-the-test',
  ])('masks the known secret %s however it is written', (secret) => {
    const { redact: redactKnown } = createRedactor([secret]);
    const inUrl = encodeURIComponent(secret);
    for (const text of [
      secret,
      inUrl,
      inUrl.replace(/%../g, (hex) => hex.toLowerCase()),
      encodeURIComponent(inUrl),
      JSON.stringify({ [secret]: secret }),
    ]) {
      const redacted = redactKnown(`>${text}<`);
      expect(redacted).toContain('***');
      expect(redacted).not.toContain(text);
    }
    expect(redactKnown('nothing here')).toBe('nothing here');
  });

  it('masks the secret half of a known token also by itself, but no common word', () => {
    const { redact: redactKnown } = createRedactor([TOKEN, '7:info']);
    expect(redactKnown(`{"level":"info","part":"${TOKEN.split(':')[1]}"}`)).toBe(
      '{"level":"info","part":"***"}',
    );
  });

  it('masks nothing that is shorter than a token, of which lines may have any number', () => {
    const line = '{"level":"error","msg":"Telegram has refused the token: 404 Not Found"}';
    const redactor = createRedactor(['', ' ', '4', 'Not']);
    for (const short of ['Found', 'refused the token']) redactor.addSecret(short);
    expect(redactor.redact(line)).toBe(line);
  });

  it('masks a secret that is added later', () => {
    const redactor = createRedactor(['1:the-first-of-two-secrets']);
    redactor.addSecret('2:the-second-of-two-secrets');
    expect(redactor.redact('1:the-first-of-two-secrets 2:the-second-of-two-secrets')).toBe('1:*** 2:***');
  });
});

/** Wraps a text so that it ends up somewhere in what is logged. */
type Hide = (secret: string) => unknown;

const leaf: fc.Arbitrary<Hide> = fc.constantFrom<Hide[]>(
  (secret) => secret,
  (secret) => `bot${secret}/sendMessage`,
  (secret) => encodeURIComponent(secret),
  (secret) => new URL(`https://api.telegram.org/bot${secret}/getMe?x=${secret}`),
  (secret) => JSON.stringify({ url: secret }),
  (secret) => JSON.stringify(JSON.stringify([secret])),
  (secret) => new Map([[secret, secret]]),
  (secret) => ({ toJSON: () => secret }),
  (secret) => () => secret,
  (secret) => Object.assign(new Error('plain'), { url: secret, code: secret, options: { path: secret } }),
);

const anywhere: fc.Arbitrary<Hide> = fc.letrec<{ hide: Hide }>((tie) => ({
  hide: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.tuple(tie('hide'), fc.constantFrom('err', 'error', 'fields', 'msg', 'event')).map(
      ([inner, name]): Hide =>
        (secret) => ({ [name]: inner(secret), [secret]: 1 }),
    ),
    tie('hide').map(
      (inner): Hide =>
        (secret) => [1, inner(secret), null],
    ),
    tie('hide').map(
      (inner): Hide =>
        (secret) =>
          new Error(`failed: ${secret}`, { cause: inner(secret) }),
    ),
    tie('hide').map(
      (inner): Hide =>
        (secret) =>
          new AggregateError([inner(secret)], secret),
    ),
    tie('hide').map(
      (inner): Hide =>
        (secret) => {
          const circular: Record<string, unknown> = { inner: inner(secret) };
          circular['self'] = circular;
          return circular;
        },
    ),
  ),
})).hide;

describe('a secret that is logged', () => {
  const secrets = fc.oneof(
    fc
      .tuple(fc.stringMatching(/^[1-9]\d{5,9}$/), fc.stringMatching(/^[\w-]{35}$/))
      .map((parts) => parts.join(':')),
    fc.constant(TOKEN),
  );

  it('never survives, wherever it hides', async () => {
    await fc.assert(
      fc.asyncProperty(
        secrets,
        anywhere,
        fc.boolean(),
        fc.constantFrom('json' as const, 'pretty' as const),
        async (secret, hide, known, format) => {
          const output = new MemoryOutput();
          const { log } = await logInto(output, { secrets: known ? [secret] : [], format });
          const hidden = hide(secret);
          log.info({ hidden, [secret]: hidden }, `message ${secret}`);
          log.child({ bound: hidden }).error({ err: hidden }, `${String(hidden)} ${secret}`);
          log.warn(errorFields(hidden));
          const half = secret.slice(secret.indexOf(':') + 1);
          for (const trace of [secret, encodeURIComponent(secret), ...(known ? [half] : [])])
            expect(output.text).not.toContain(trace);
          expect(output.text.match(/\*\*\*/g)?.length).toBeGreaterThanOrEqual(2);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('leaves lines of JSON that can be read', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, anywhere, async (secret, hide) => {
        const output = new MemoryOutput();
        const { log } = await logInto(output, { secrets: [secret] });
        log.info({ hidden: hide(secret) }, secret);
        expect(output.lines).toHaveLength(1);
        expect(output.lines[0]).toMatchObject({ level: 'info', msg: expect.stringContaining('***') });
      }),
    );
  });
});
