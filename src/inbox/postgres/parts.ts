/** The parts of the inbox, and what each is told by the others. */
import { Claims } from './claims.js';
import type { Database } from './database.js';
import { Intake } from './intake.js';
import { Membership } from './membership.js';
import type { CompleteOptions } from './options.js';
import { Reserve } from './reserve.js';
import { Turns } from './turns.js';
import { Writer } from './writer.js';

export interface Parts<U extends { readonly update_id: number }> {
  readonly database: Database;
  readonly membership: Membership;
  readonly turns: Turns;
  readonly writer: Writer<U>;
  readonly claims: Claims<U>;
  readonly intake: Intake<U>;
}

/** The inbox, to its parts. */
export interface Owner<U> {
  reserve(): Reserve<U>;
  isOpen(): boolean;
  /** Whether updates may begin. */
  mayBegin(): boolean;
  /** Whether the process stops, and not because of a fault. */
  isStop(): boolean;
  /** This process was taken for dead. */
  lostHost(): void;
  /** Another process seems to be dead. */
  freeTheDead(): void;
  failed(error: unknown): void;
}

export function assemble<U extends { readonly update_id: number }>(
  options: CompleteOptions<U>,
  database: Database,
  owner: Owner<U>,
): Parts<U> {
  const { bot, place, leaseClock: clock, leaseMs, now, restore, available, emit } = options;
  const { reserve, isStop, mayBegin, failed } = owner;
  const membership: Membership = new Membership({
    database,
    bot,
    place,
    clock,
    leaseMs,
    isDraining: isStop,
    epoch: () => turns.held?.epoch,
    on: {
      alive: (askedAt, polls) => {
        if (polls === true) turns.extended(askedAt);
        if (polls === false) turns.lose('another process polls');
        available();
        claims.resume();
      },
      lost: owner.lostHost,
      work: () => claims.wake(),
      dead: owner.freeTheDead,
      failed,
    },
  });
  const host = () => membership.id;
  const turns: Turns = new Turns({ database, bot, clock, leaseMs, host, dead: owner.freeTheDead, emit });
  const writer = new Writer<U>({
    database,
    clock,
    reserve,
    host,
    isDraining: isStop,
    lost: (lost) => membership.noticeLoss(lost),
    freed: () => claims.wake(),
    failed,
  });
  const claims: Claims<U> = new Claims<U>({
    database,
    clock,
    now,
    restore,
    reserve,
    known: () => {
      const returning = writer.returning.map(({ key, given }) => [key, given] as const);
      return new Map([...returning, ...reserve().givenUpTo]);
    },
    host: () => (mayBegin() ? membership.id : undefined),
    given: () => {
      available();
      if (reserve().hasReturned) writer.hasten();
    },
    failed,
  });
  const intake = new Intake<U>({ ...options, database, turns, clock, persists: owner.isOpen });
  return { database, membership, turns, writer, claims, intake };
}

/** What this process has of the database; `parts` is asked for those that there are by then. */
export function createReserve<U extends { readonly update_id: number }>(
  { clock, maxAttempts, available }: CompleteOptions<U>,
  parts: () => Parts<U> | undefined,
): Reserve<U> {
  return new Reserve<U>({
    clock,
    isSuspect: ({ stored: { deaths, cuts } }) =>
      maxAttempts > 0 && deaths > 0 && deaths + cuts >= maxAttempts - 1,
    available,
    thinned: () => parts()?.claims.wake(),
    unmarked: () => parts()?.writer.hasten(),
  });
}
