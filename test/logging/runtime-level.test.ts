import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '../support/fake-clock.js';
import { logInto } from './logging.js';
import { MemoryOutput } from './memory-output.js';

async function given(level = 'info') {
  const output = new MemoryOutput();
  const clock = new FakeClock();
  const { log, receiptLog, level: runtimeLevel } = await logInto(output, { level });
  const restored: string[] = [];
  return {
    ...{ clock, log, receiptLog, restored },
    change: (wanted: string, forMs: number) =>
      runtimeLevel?.change(wanted, forMs, clock, (usual) => restored.push(usual)),
    said: () => output.lines.map(({ msg }) => msg),
  };
}

describe('the level of the log', () => {
  it('is another one for a time, and the usual one afterwards', async () => {
    const t = await given();
    t.log.debug('before');
    t.change('debug', 5_000);
    t.log.debug('meanwhile');
    await t.clock.advance(5_000);
    t.log.debug('afterwards');
    expect(t.said()).toEqual(['meanwhile']);
    expect(t.restored).toEqual(['info']);
    expect(t.clock.pending).toBe(0);
  });

  it('counts from the last change, and goes back to that of the settings', async () => {
    const t = await given('warn');
    t.change('debug', 5_000);
    await t.clock.advance(4_000);
    t.change('info', 5_000);
    await t.clock.advance(4_000);
    t.log.debug('too low');
    t.log.info('meanwhile');
    await t.clock.advance(1_000);
    t.log.info('afterwards');
    expect(t.said()).toEqual(['meanwhile']);
    expect(t.restored).toEqual(['warn']);
  });

  it('holds for logs made of it, before and meanwhile, but for those with a level of their own', async () => {
    const t = await given();
    const before = t.log.child({ hook: 'a' });
    const own = t.log.child({ hook: 'b' }, { level: 'error' });
    t.change('debug', 5_000);
    const meanwhile = t.log.child({ hook: 'c' });
    for (const log of [before, own, meanwhile]) log.debug(`debug ${log.bindings()['hook']}`);
    await t.clock.advance(5_000);
    for (const log of [before, own, meanwhile]) log.debug('too low');
    own.error('error b');
    expect(t.said()).toEqual(['debug a', 'debug c', 'error b']);
  });

  it('never hides the receipt', async () => {
    const t = await given();
    t.change('fatal', 5_000);
    t.receiptLog.info({}, 'stopped');
    expect(t.said()).toEqual(['stopped']);
  });
});
