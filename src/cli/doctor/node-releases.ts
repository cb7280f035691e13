/** How long each release line of Node gets security fixes, and whether this lastcall runs on it. */
import { type Finding, warning, well, wrong } from './finding.js';

/**
 * The last day of each line, from the schedule of the Node.js Release Working Group
 * (https://github.com/nodejs/Release, `schedule.json`), whose dates change at times. Up to 25, lines with an odd number live for
 * half a year; from 27 on there are none of that kind.
 */
const ends: Readonly<Record<number, string>> = {
  18: '2025-04-30',
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
  26: '2029-04-30',
};

/** The line to move to: the newest of those with long-term support that the tests run on. */
const RECOMMENDED = 24;
/** The oldest that lastcall runs on, as `engines` in package.json. */
const OLDEST = { major: 20, minor: 19 };
/** How long before its end a line is named. */
const NEAR_MS = 60 * 24 * 60 * 60 * 1_000;

/**
 * @param version such as `20.20.2`
 * @param where what runs with it, where that is not this command: `unit lastcall.service`
 */
export function checkNode(version: string, nowMs: number, where?: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const name = `Node ${version}${where === undefined ? '' : ` (${where})`}`;
  const cure = {
    cure: `install Node ${RECOMMENDED} (https://nodejs.org/en/download), then install the packages again and restart the bot`,
    commands: ['npm ci'],
  };
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor))
    return wrong(
      'Node',
      `${name} is too old: lastcall needs ${OLDEST.major}.${OLDEST.minor} or newer.`,
      cure,
    );
  const end = ends[major];
  if (end === undefined) return well('Node', name);
  const leftMs = Date.parse(end) - nowMs;
  if (leftMs < 0)
    return warning(
      'Node',
      `${name} has reached its end of life on ${end}, and gets no security fixes any more.`,
      cure,
    );
  if (leftMs < NEAR_MS)
    return warning(
      'Node',
      `${name} reaches its end of life on ${end}; no security fixes come after that.`,
      cure,
    );
  return well('Node', `${name}, maintained until ${end}`);
}
