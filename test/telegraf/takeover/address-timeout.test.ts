import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  addressTimeoutMs,
  raiseAddressTimeout,
  restoreAddressTimeout,
} from '../../../src/telegraf/takeover/address-timeout.js';

describe('the time for each address of a host', () => {
  const ownMs = net.getDefaultAutoSelectFamilyAttemptTimeout();
  beforeEach(() => net.setDefaultAutoSelectFamilyAttemptTimeout(250));
  afterEach(() => {
    restoreAddressTimeout();
    net.setDefaultAutoSelectFamilyAttemptTimeout(ownMs);
  });

  it('grows to 5 s, and is as before once an address has answered within that time', () => {
    const steps = [1, 2, 3, 4].map(() => {
      raiseAddressTimeout();
      return addressTimeoutMs();
    });
    expect(steps).toEqual([1_000, 4_000, 5_000, 5_000]);
    restoreAddressTimeout(250);
    expect(addressTimeoutMs()).toBe(5_000);
    restoreAddressTimeout(249);
    expect(addressTimeoutMs()).toBe(250);
  });

  it("stays the program's own where it has set one", () => {
    raiseAddressTimeout();
    net.setDefaultAutoSelectFamilyAttemptTimeout(2_000);
    restoreAddressTimeout();
    expect(addressTimeoutMs()).toBe(2_000);
    raiseAddressTimeout();
    restoreAddressTimeout();
    expect(addressTimeoutMs()).toBe(2_000);
    net.setDefaultAutoSelectFamilyAttemptTimeout(9_000);
    raiseAddressTimeout();
    expect(addressTimeoutMs()).toBe(9_000);
  });
});
