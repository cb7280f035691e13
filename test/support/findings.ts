/** What a check of `lastcall doctor` has found, short enough to compare. */
import type { Finding } from '../../src/cli/doctor/finding.js';

/** `webhook: wrong`, for each finding that is not well. */
export const troubles = (findings: readonly Finding[]): readonly string[] =>
  findings.filter(({ verdict }) => verdict !== 'well').map(({ check, verdict }) => `${check}: ${verdict}`);

/** All that people read. */
export const textOf = (findings: readonly Finding[]): string =>
  findings
    .flatMap(({ text, cure, commands = [] }) => [text, ...(cure === undefined ? [] : [cure]), ...commands])
    .join('\n');
