/** `lastcall inbox show`: one update with its content. */
import { ExitCode } from '../../exit-code.js';
import type { InboxContext } from './context.js';
import { asJsonWithContent } from './format.js';
import { print } from './print.js';
import { readInbox, withIds } from './read-inbox.js';

export async function show({ io, inbox, ids }: InboxContext): Promise<number> {
  const { view } = await readInbox(inbox);
  let found = 0;
  for (const update of withIds(view.updates(), ids)) {
    const text = asJsonWithContent(update, io.stdout.isTTY ? 2 : undefined);
    if (text === undefined) continue;
    found++;
    await print(io, [`${text}\n`]);
  }
  if (found > 0) return ExitCode.clean;
  io.stderr.write(`update ${ids.join()} is not in the inbox\n`);
  return ExitCode.cut;
}
