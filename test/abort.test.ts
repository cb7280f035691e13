import { describe, expect, it, jest } from '@jest/globals';
import { aborted, onAbort } from '../src/abort.js';

describe('a listener for an abort', () => {
  it('is called once when the signal aborts', () => {
    const controller = new AbortController();
    const listener = jest.fn();
    onAbort(controller.signal, listener);
    expect(listener).not.toHaveBeenCalled();
    controller.abort();
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('is called at once when the signal has aborted before', () => {
    const listener = jest.fn();
    onAbort(AbortSignal.abort(), listener);
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('is not called once it was taken away', () => {
    const controller = new AbortController();
    const listener = jest.fn();
    onAbort(controller.signal, listener)();
    controller.abort();
    expect(listener).not.toHaveBeenCalled();
  });
});

describe('waiting for an abort', () => {
  it('ends with the abort, whether it came before or comes later', async () => {
    const controller = new AbortController();
    const later = aborted(controller.signal);
    controller.abort();
    await later;
    await aborted(controller.signal);
  });
});
