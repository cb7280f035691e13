import { describe, expect, it } from '@jest/globals';
import { checkNode } from '../../../src/cli/doctor/node-releases.js';

const at = (day: string) => Date.parse(day);

describe('the version of Node', () => {
  it.each([
    ['24.11.0', '2026-11-29', 'well'],
    ['22.18.0', '2026-11-29', 'well'],
    ['22.18.0', '2027-04-01', 'warning'],
    ['20.20.2', '2026-03-31', 'warning'],
    ['20.20.2', '2026-01-31', 'well'],
    ['20.20.2', '2026-11-29', 'warning'],
    ['20.18.3', '2026-01-31', 'wrong'],
    ['18.20.0', '2026-01-31', 'wrong'],
    // Nothing is known of its end yet.
    ['28.0.0', '2026-11-29', 'well'],
  ])('%s on %s: %s', (version, day, verdict) => {
    expect(checkNode(version, at(day))).toMatchObject({ check: 'Node', verdict });
  });

  it('says whose it is', () => {
    expect(checkNode('18.1.0', 0, 'lastcall.service').text).toContain('Node 18.1.0 (lastcall.service)');
  });
});
