/** `lastcall inbox list`: a table of the updates in the inbox, or JSON with `--json`. */
import { ExitCode } from '../../exit-code.js';
import type { SeenUpdate, UpdateState } from '../../inbox/seen-update.js';
import { type InboxContext, warnIfDamaged } from './context.js';
import { asJson, countsInWords, table } from './format.js';
import type { OpenedInbox } from './opened-inbox.js';
import { print } from './print.js';
import { statesIn } from './states.js';

/** How many updates of each state are listed without `--all`. */
const LISTED = 20;

export async function list(context: InboxContext): Promise<number> {
  const { io, inbox, switches } = context;
  const { botKey: bot, place, isAttended: attended, counts } = inbox;
  warnIfDamaged(context);
  const states = statesIn(switches);
  if (switches.has('json')) {
    await print(io, jsonList({ bot, ...place, attended, counts }, inbox.updates({ states })));
    return ExitCode.clean;
  }
  const most = switches.has('all') ? Number.POSITIVE_INFINITY : LISTED;
  const shown = table(await limited(inbox, states, most), Date.now());
  const rest = states.reduce((sum, state) => sum + Math.max(0, counts[state] - most), 0);
  await print(io, [
    `${countsInWords(counts)} in the inbox of bot ${bot}. ${await inbox.usersInWords()}\n`,
    ...(shown === '' ? [] : ['\n', shown]),
    ...(rest > 0 ? [`\n${rest} more are not shown; \`lastcall inbox list --all\` shows them\n`] : []),
  ]);
  return ExitCode.clean;
}

/** Returns at most `most` updates of each state: the newest dead letters, and the oldest updates of other states. */
async function limited(
  inbox: OpenedInbox,
  states: readonly UpdateState[],
  most: number,
): Promise<readonly SeenUpdate[]> {
  const found: SeenUpdate[] = [];
  for (const state of states) {
    const from = state === 'dead' ? Math.max(0, inbox.counts[state] - most) : 0;
    let index = 0;
    for await (const update of inbox.updates({ states: [state] })) {
      if (index >= from + most) break;
      if (index++ >= from) found.push(update);
    }
  }
  return found;
}

async function* jsonList(head: object, updates: AsyncIterable<SeenUpdate>): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"updates":[`;
  let separator = '\n';
  for await (const update of updates) {
    yield `${separator}${asJson(update)}`;
    separator = ',\n';
  }
  yield '\n]}\n';
}
