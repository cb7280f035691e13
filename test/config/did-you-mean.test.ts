import { describe, expect, it } from '@jest/globals';
import { didYouMean } from '../../src/config/did-you-mean.js';

describe('didYouMean', () => {
  it.each([
    ['LOG_LEVL', 'LOG_LEVEL', 'a letter missing'],
    ['LOG_LEVELL', 'LOG_LEVEL', 'a letter too many'],
    ['LOG_LEVAL', 'LOG_LEVEL', 'a wrong letter'],
    ['LOG_LEVLE', 'LOG_LEVEL', 'two letters swapped'],
    ['INBXO', 'INBOX', 'a swap in a short name'],
  ])('takes %s for %s (%s)', (name, meant) => {
    expect(didYouMean(name, ['LOG_FORMAT', 'INBOX', 'LOG_LEVEL'])).toBe(meant);
  });

  it.each(['LOG_FILE', 'INDEX', 'DATABASE_URL', 'PORT', '', 'X'])('takes %s for itself', (name) => {
    expect(didYouMean(name, ['LOG_FORMAT', 'INBOX', 'LOG_LEVEL', 'STATE_DIR'])).toBeUndefined();
  });

  it('leaves a name that is right', () => {
    expect(didYouMean('STOP_AFTER', ['STOP_AFTERS', 'STOP_AFTER'])).toBe('STOP_AFTER');
  });

  it('prefers the nearer one', () => {
    expect(didYouMean('HANDLER_TIMEOUTS', ['HANDLED_TIMEOUT', 'HANDLER_TIMEOUT'])).toBe('HANDLER_TIMEOUT');
  });
});
