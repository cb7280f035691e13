/** `lastcall inbox show` and `lastcall inbox export`: updates with their contents as JSON. */
import { ExitCode } from '../../exit-code.js';
import { type SeenUpdate, updateStates } from '../../inbox/seen-update.js';
import { type InboxContext, warnIfDamaged } from './context.js';
import { asJsonWithContent } from './format.js';
import { print } from './print.js';
import { statesIn } from './states.js';

/** Prints the updates with the given id. */
export async function show({ io, inbox, ids }: InboxContext): Promise<number> {
  const found: string[] = [];
  const updates = inbox.updates({ states: updateStates, ids });
  for await (const line of lines(updates, io.stdout.isTTY ? 2 : undefined)) found.push(line);
  await print(io, found);
  if (found.length > 0) return ExitCode.clean;
  io.stderr.write(`update ${ids.join()} is not in the inbox\n`);
  return ExitCode.cut;
}

/** Prints all updates, or those in the states that the switches select, as one JSON object per line. */
export async function exportLines(context: InboxContext): Promise<number> {
  warnIfDamaged(context);
  await print(context.io, lines(context.inbox.updates({ states: statesIn(context.switches) })));
  return ExitCode.clean;
}

async function* lines(updates: AsyncIterable<SeenUpdate>, indent?: number): AsyncGenerator<string> {
  for await (const update of updates) {
    const text = asJsonWithContent(update, indent);
    if (text !== undefined) yield `${text}\n`;
  }
}
