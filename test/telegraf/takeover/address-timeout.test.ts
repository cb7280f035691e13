import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AddressTimeout, addressTimeoutMs } from '../../../src/telegraf/takeover/address-timeout.js';

describe('the time for each address of a host', () => {
  const ownMs = net.getDefaultAutoSelectFamilyAttemptTimeout();
  const [one, other] = [new AddressTimeout(), new AddressTimeout()];
  beforeEach(() => net.setDefaultAutoSelectFamilyAttemptTimeout(250));
  afterEach(() => {
    for (const client of [one, other]) client.end();
    net.setDefaultAutoSelectFamilyAttemptTimeout(ownMs);
  });

  it('grows to 5 s, and is as before once an address has answered within that time', () => {
    const steps = [1, 2, 3, 4].map(() => {
      one.raise();
      return addressTimeoutMs();
    });
    expect(steps).toEqual([1_000, 4_000, 5_000, 5_000]);
    one.answered(250);
    expect(addressTimeoutMs()).toBe(5_000);
    one.answered(249);
    expect(addressTimeoutMs()).toBe(250);
  });

  it("stays the program's own where it has set one", () => {
    one.raise();
    net.setDefaultAutoSelectFamilyAttemptTimeout(2_000);
    one.end();
    expect(addressTimeoutMs()).toBe(2_000);
    one.raise();
    one.end();
    expect(addressTimeoutMs()).toBe(2_000);
    net.setDefaultAutoSelectFamilyAttemptTimeout(9_000);
    one.raise();
    expect(addressTimeoutMs()).toBe(9_000);
  });

  it('stays as long as one of several clients needs it', () => {
    one.raise();
    other.raise();
    expect(addressTimeoutMs()).toBe(4_000);
    other.end();
    other.answered(0);
    expect(addressTimeoutMs()).toBe(1_000);
    // It has raised nothing, but lives from it.
    other.answered(300);
    one.answered(0);
    expect(addressTimeoutMs()).toBe(1_000);
    other.end();
    expect(addressTimeoutMs()).toBe(250);
    one.raise();
    one.end();
    expect(addressTimeoutMs()).toBe(250);
  });
});
