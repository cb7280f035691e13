/** An inbox on the disk of this machine: it is read here, and changed by the process that works with it. */
import type { SeenUpdate, UpdateState } from '../../inbox/seen-update.js';
import { InboxView } from '../../inbox/store/view.js';
import { orderKey, updateKind } from '../../telegraf/order-key.js';
import type { BotInbox } from './choose-inbox.js';
import type { OpenedInbox, Selection } from './opened-inbox.js';
import { findOwner, type InboxOwner, ownerInWords, runIdOf } from './owner.js';
import { sendRequest } from './request.js';

/** Reads an inbox, but not the contents of updates, and who owns it. Rejects with what the constructor of InboxView throws. */
export async function readJournal(inbox: BotInbox): Promise<{ owner: InboxOwner; view: InboxView }> {
  const owner = await findOwner(inbox);
  return { owner, view: viewOf(inbox, owner) };
}

/** The same as an inbox to which requests can be sent. */
export async function openJournal(inbox: BotInbox): Promise<OpenedInbox> {
  const { owner, view } = await readJournal(inbox);
  return {
    botKey: inbox.botKey,
    place: { folder: inbox.folder },
    isAttended: runIdOf(owner) !== undefined,
    get isDamaged() {
      return view.damaged;
    },
    get counts() {
      return view.counts;
    },
    updates: (selection) => selected(view, selection),
    async statesOf(seqs) {
      const now = viewOf(inbox, await findOwner(inbox));
      const states = seqs.map((seq) => [seq, now.stateOf(seq)] as const);
      return new Map(
        states.filter((entry): entry is [(typeof entry)[0], UpdateState] => entry[1] !== undefined),
      );
    },
    usersInWords: async () => ownerInWords(await findOwner(inbox)),
    request: (request, signal) => sendRequest(inbox, request, signal),
    close: async () => {},
  };
}

function viewOf({ botKey: bot, folder }: BotInbox, owner: InboxOwner): InboxView {
  // The key is only shown. It is that of the order by chat, since the bot's settings and its module are not known here.
  const reading = { now: Date.now, keyOf: orderKey, kindOf: updateKind };
  return new InboxView({ ...reading, bot, folder, runId: runIdOf(owner) });
}

async function* selected(view: InboxView, { states, ids }: Selection): AsyncGenerator<SeenUpdate> {
  const wanted = ids && new Set<number>(ids);
  for (const update of view.updates(states)) if (wanted?.has(update.updateId) ?? true) yield update;
}
