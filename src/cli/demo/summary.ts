/** What happened to several hosts, and to the messages meanwhile. */
import type { Sandbox } from '../../sandbox/sandbox.js';
import { closingTable, type Figure, seconds } from './closing-table.js';
import { fatesOf, type Stock } from './fates.js';
import type { Host } from './fleet.js';
import { gapsBetween, longest, overlaps, type Span } from './poll-gaps.js';
import type { Mishap } from './scene.js';

/** What has become of it. */
export interface Show {
  readonly mishaps: readonly Mishap[];
  /** From when to when people chatted. */
  readonly chat: Span;
  readonly exitCodes: readonly (number | undefined)[];
  readonly hosts: readonly Host[];
  /** The exit code of a host that has ended by an error. */
  readonly brokenBy: number | undefined;
}

/** Why it takes so long until another host polls. */
const whys: Readonly<Record<Mishap['signal'], string>> = {
  SIGKILL: 'the database frees the lock of a process that is gone at once',
  SIGSTOP: 'its connection lasts, so the others wait until its lease of 5 s has ended',
};

/** Puts it all into figures. `stock`: what is left in the database. */
export function summary(
  sandbox: Sandbox,
  { mishaps, chat, exitCodes, hosts }: Show,
  stock: Stock,
): { readonly text: string; readonly lost: number } {
  const { said, answered, answeredTwice, latencyMs } = sandbox.report();
  const { kept, dead, lost } = fatesOf(sandbox.exchanges(), stock, sandbox.state().confirmedOffset);
  const gaps = gapsBetween(sandbox.calls({ method: 'getUpdates' })).filter(({ toMs }) => toMs < chat.toMs);
  const others = gaps.filter((gap) => !mishaps.some((mishap) => overlaps(mishap, gap)));
  const since = (host: Host) =>
    mishaps.some((mishap) => mishap.signal === 'SIGKILL' && mishap.host === host)
      ? 'since it was started again'
      : undefined;
  const figures: Figure[] = [
    ['messages sent', said],
    ['answered', answered],
    ['kept for the next run', kept],
    ['kept as dead letters', dead],
    ['lost', lost],
    ['answered twice', answeredTwice, 'at most what was at work on a host when it was killed or frozen'],
    [
      'longest wait',
      seconds(latencyMs?.max ?? 0),
      'for an answer, by somebody whose message was at work there',
    ],
    ...mishaps.map(
      (mishap): Figure => [
        `no poll after ${mishap.signal}`,
        seconds(longest(gaps.filter((gap) => overlaps(mishap, gap)))),
        whys[mishap.signal],
      ],
    ),
    ['no poll otherwise', seconds(longest(others)), 'at most, between the beginnings of two polls'],
    ...hosts.map((host): Figure => [`handled by ${host.name}`, host.handled, since(host)]),
    ['exit codes', exitCodes.map((code) => code ?? 'killed').join(' ')],
  ];
  return { text: `${closingTable(figures)}${lost === 0 ? WHY_NOTHING_IS_LOST : ''}`, lost };
}

const WHY_NOTHING_IS_LOST = `
Nothing was lost: a message is in the database before Telegram is told to forget it,
and whatever becomes of a host, the others go on with what it had.
`;
