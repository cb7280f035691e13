/** All checks of `lastcall doctor`, in groups, in the order in which somebody who looks for a fault would go through them. */
import { checkDatabase, type DatabaseFacts } from './database.js';
import type { Finding, Group } from './finding.js';
import { checkInbox, type InboxFacts } from './inbox.js';
import { checkNetwork } from './network.js';
import type { NetworkFacts } from './network-facts.js';
import { checkNode } from './node-releases.js';
import { checkPolling, type PollingFacts } from './polling.js';
import { checkProgram } from './program.js';
import type { ProgramFacts } from './program-facts.js';
import { checkSettings, type SettingsFacts } from './settings.js';
import { checkState } from './state.js';
import type { StateFacts } from './state-facts.js';
import { checkSupervisor, type SupervisorFacts } from './supervisor.js';

/** What was seen around a bot. */
export interface Facts {
  readonly nowMs: number;
  readonly settings: SettingsFacts;
  readonly program: ProgramFacts;
  /** The version of the Node that this command runs with, and of those of units that run with another one. */
  readonly nodes: readonly { readonly version: string; readonly of?: string }[];
  readonly network: NetworkFacts;
  readonly polling: PollingFacts;
  /** Undefined where there is no place for a state folder, which the settings say. */
  readonly state: StateFacts | undefined;
  /** What a watcher would do, if one sees the state folder. */
  readonly watched: Parameters<typeof checkState>[2];
  readonly inbox: InboxFacts;
  /** Undefined unless the inbox is in a database. */
  readonly database: DatabaseFacts | undefined;
  readonly supervisor: SupervisorFacts;
}

/** The process that gets answers to its polls, by what it says itself. */
const pollingPidIn = ({ report }: PollingFacts): number | undefined =>
  report?.polling.state === 'polling' && !report.polling.isLate ? report.pid : undefined;

export function examine(facts: Facts): readonly Group[] {
  const { nowMs, nodes, state, inbox, database, supervisor } = facts;
  const isSupervised = (supervisor.units ?? []).length + supervisor.apps.length > 0;
  const group = (name: string, ...findings: readonly (readonly Finding[])[]): Group => ({
    name,
    findings: findings.flat(),
  });
  return [
    group('Settings', checkSettings(facts.settings)),
    group(
      'Program',
      checkProgram(facts.program, isSupervised),
      nodes.map(({ version, of }) => checkNode(version, nowMs, of)),
    ),
    group(
      'Telegram',
      checkNetwork(facts.network, nowMs, pollingPidIn(facts.polling)),
      checkPolling(facts.polling),
    ),
    group('State', state ? checkState(state, inbox.kind, facts.watched) : []),
    group('Inbox', checkInbox(inbox), database ? checkDatabase(database) : []),
    group('Supervisor', checkSupervisor(supervisor)),
  ];
}
