/** `lastcall inbox list`: a table of the updates in the inbox, or JSON with `--json`. */
import { ExitCode } from '../../exit-code.js';
import type { InboxView, SeenUpdate, UpdateState } from '../../inbox/store/view.js';
import type { InboxContext } from './context.js';
import { asJson, countsInWords, table } from './format.js';
import { ownerInWords, runIdOf } from './owner.js';
import { print } from './print.js';
import { readInboxOrWarn, statesIn } from './read-inbox.js';

/** How many updates of each state are listed without `--all`. */
const LISTED = 20;

export async function list(context: InboxContext): Promise<number> {
  const { io, switches } = context;
  const { botKey, folder } = context.inbox;
  const { owner, view } = await readInboxOrWarn(context);
  const states = statesIn(switches);
  if (switches.has('json')) {
    const attended = runIdOf(owner) !== undefined;
    await print(io, jsonList({ bot: botKey, folder, attended, counts: view.counts }, view.updates(states)));
    return ExitCode.clean;
  }
  const most = switches.has('all') ? Number.POSITIVE_INFINITY : LISTED;
  const shown = table(limited(view, states, most), Date.now());
  const rest = states.reduce((sum, state) => sum + Math.max(0, view.counts[state] - most), 0);
  await print(io, [
    `${countsInWords(view.counts)} in the inbox of bot ${botKey}. ${ownerInWords(owner)}\n`,
    ...(shown === '' ? [] : ['\n', shown]),
    ...(rest > 0 ? [`\n${rest} more are not shown; \`lastcall inbox list --all\` shows them\n`] : []),
  ]);
  return ExitCode.clean;
}

/** Yields at most `most` updates of each state: the newest dead letters, and the oldest updates of other states. */
function* limited(view: InboxView, states: readonly UpdateState[], most: number): Generator<SeenUpdate> {
  for (const state of states) {
    const from = state === 'dead' ? Math.max(0, view.counts[state] - most) : 0;
    let index = 0;
    for (const update of view.updates([state])) {
      if (index >= from + most) break;
      if (index++ >= from) yield update;
    }
  }
}

function* jsonList(head: object, updates: Iterable<SeenUpdate>): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"updates":[`;
  let separator = '\n';
  for (const update of updates) {
    yield `${separator}${asJson(update)}`;
    separator = ',\n';
  }
  yield '\n]}\n';
}
