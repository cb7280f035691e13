/** `lastcall inbox show` and `lastcall inbox export`: updates with their contents as JSON. */
import { ExitCode } from '../../exit-code.js';
import type { SeenUpdate } from '../../inbox/store/view.js';
import type { InboxContext } from './context.js';
import { asJsonWithContent } from './format.js';
import { print } from './print.js';
import { readInbox, readInboxOrWarn, statesIn, withIds } from './read-inbox.js';

/** Prints the updates with the given id. */
export async function show({ io, inbox, ids }: InboxContext): Promise<number> {
  const { view } = await readInbox(inbox);
  const found = [...lines(withIds(view.updates(), ids), io.stdout.isTTY ? 2 : undefined)];
  await print(io, found);
  if (found.length > 0) return ExitCode.clean;
  io.stderr.write(`update ${ids.join()} is not in the inbox\n`);
  return ExitCode.cut;
}

/** Prints all updates, or those in the states that the switches select, as one JSON object per line. */
export async function exportLines(context: InboxContext): Promise<number> {
  const { view } = await readInboxOrWarn(context);
  await print(context.io, lines(view.updates(statesIn(context.switches))));
  return ExitCode.clean;
}

function* lines(updates: Iterable<SeenUpdate>, indent?: number): Generator<string> {
  for (const update of updates) {
    const text = asJsonWithContent(update, indent);
    if (text !== undefined) yield `${text}\n`;
  }
}
