/** What the page shows: the parts of a sandbox, and where changes are told. */
import type { Clock } from '../../clock.js';
import type { BotAccount } from '../bot-account.js';
import type { BotAccounts } from '../bot-accounts.js';
import type { BotProcess } from '../bot-process.js';
import type { Calls } from '../calls.js';
import type { Changes } from '../changes.js';
import type { Faults } from '../faults.js';
import type { SandboxBot } from '../sandbox-bot.js';

export interface PageSource {
  readonly clock: Clock;
  readonly calls: Calls;
  readonly accounts: BotAccounts;
  readonly changes: Changes;
  readonly faults: Faults;
  readonly apiRoot: string;
  /** The command that connects a bot. */
  readonly connect: string;
  bot(account: BotAccount): SandboxBot;
  /** The bot's process, where the sandbox runs it. */
  process(): BotProcess | undefined;
}

/** Returns the account with an id, else the bot that has called last, else the first one. @throws RangeError */
export function accountOf({ accounts, calls }: PageSource, id: number | undefined): BotAccount {
  if (id !== undefined) return accounts.find(id);
  const lastCall = (account: BotAccount) => calls.last(account.id)?.number ?? 0;
  const [latest] = [...accounts.list()].sort((one, other) => lastCall(other) - lastCall(one));
  if (!latest) throw new RangeError('the sandbox has no bot yet');
  return latest;
}
