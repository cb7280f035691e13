/** Reads an inbox without changing it. */
import { InboxView, type SeenUpdate, type UpdateState, updateStates } from '../../inbox/store/view.js';
import { orderKey, updateKind } from '../../telegraf/order-key.js';
import type { BotInbox } from './choose-inbox.js';
import type { InboxContext, Switch } from './context.js';
import { findOwner, type InboxOwner, runIdOf } from './owner.js';

/** Reads the contents of an inbox, and who owns it. Rejects with what the constructor of InboxView throws. */
export async function readInbox(inbox: BotInbox): Promise<{ owner: InboxOwner; view: InboxView }> {
  const { botKey: bot, folder } = inbox;
  const owner = await findOwner(inbox);
  // The key is only shown. It is that of the order by chat, since the bot's settings and its module are not known here.
  const reading = { now: Date.now, keyOf: orderKey, kindOf: updateKind };
  return { owner, view: new InboxView({ ...reading, bot, folder, runId: runIdOf(owner) }) };
}

/** Like `readInbox`, with a warning on stderr where part of the inbox is unreadable. */
export async function readInboxOrWarn({ io, inbox }: InboxContext): ReturnType<typeof readInbox> {
  const read = await readInbox(inbox);
  if (read.view.damaged) io.stderr.write('warning: part of the inbox is unreadable; showing the rest\n');
  return read;
}

/** Yields the updates with the given ids. Telegram may reuse an id, so one id may stand for several updates. */
export function* withIds(updates: Iterable<SeenUpdate>, ids: readonly number[]): Generator<SeenUpdate> {
  const wanted = new Set(ids);
  for (const update of updates) if (wanted.has(update.updateId)) yield update;
}

/** Returns the states that `--dead` and `--waiting` select; all states without either. */
export function statesIn(switches: ReadonlySet<Switch>): readonly UpdateState[] {
  if (!switches.has('dead') && !switches.has('waiting')) return updateStates;
  return updateStates.filter((state) =>
    state === 'dead' ? switches.has('dead') : state !== 'running' && switches.has('waiting'),
  );
}
