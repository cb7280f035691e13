/** `lastcall inbox export`: the updates with their contents, one JSON object per line. */
import { ExitCode } from '../../exit-code.js';
import type { SeenUpdate } from '../../inbox/store/view.js';
import type { InboxContext } from './context.js';
import { asJsonWithContent } from './format.js';
import { print } from './print.js';
import { readInboxOrWarn, statesIn } from './read-inbox.js';

export async function exportLines(context: InboxContext): Promise<number> {
  const { view } = await readInboxOrWarn(context);
  await print(context.io, lines(view.updates(statesIn(context.switches))));
  return ExitCode.clean;
}

function* lines(updates: Iterable<SeenUpdate>): Generator<string> {
  for (const update of updates) {
    const text = asJsonWithContent(update);
    if (text !== undefined) yield `${text}\n`;
  }
}
