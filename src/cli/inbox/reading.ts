/** `lastcall inbox list`, `show` and `export`: they read, and leave no trace. */
import { ExitCode } from '../../exit-code.js';
import { type InboxView, type SeenUpdate, type UpdateState, updateStates } from '../../inbox/store/view.js';
import { idAtWork } from './attendant.js';
import { type InboxIo, inWords, look, print, type Switch, type Task, withIds } from './task.js';
import { asJson, asJsonWithContent, countsInWords, table } from './text.js';

/** How many of each state are listed, unless all are asked for. */
const LISTED = 20;

export async function list({ io, inbox, given }: Task): Promise<number> {
  const { attendant, view } = await look(inbox);
  warnOfDamage(view, io);
  const states = statesIn(given);
  if (given.has('json')) {
    const attended = idAtWork(attendant) !== undefined;
    await print(io, jsonList({ ...inbox, attended, counts: view.counts }, view.updates(states)));
    return ExitCode.clean;
  }
  const most = given.has('all') ? Number.POSITIVE_INFINITY : LISTED;
  const shown = table(someOfEach(view, states, most), Date.now());
  const rest = states.reduce((sum, state) => sum + Math.max(0, view.counts[state] - most), 0);
  await print(io, [
    `${countsInWords(view.counts)} in the inbox of bot ${inbox.bot}. ${inWords(attendant)}\n`,
    ...(shown === '' ? [] : ['\n', shown]),
    ...(rest > 0 ? [`\n${rest} more are not shown; \`lastcall inbox list --all\` shows them\n`] : []),
  ]);
  return ExitCode.clean;
}

export async function show({ io, inbox, ids }: Task): Promise<number> {
  const { view } = await look(inbox);
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

export async function exportLines({ io, inbox, given }: Task): Promise<number> {
  const { view } = await look(inbox);
  warnOfDamage(view, io);
  await print(io, contentLines(view.updates(statesIn(given))));
  return ExitCode.clean;
}

/** The first of each state, but of the dead the last. */
function* someOfEach(view: InboxView, states: readonly UpdateState[], most: number): Generator<SeenUpdate> {
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

function* contentLines(updates: Iterable<SeenUpdate>): Generator<string> {
  for (const update of updates) {
    const text = asJsonWithContent(update);
    if (text !== undefined) yield `${text}\n`;
  }
}

function statesIn(given: ReadonlySet<Switch>): readonly UpdateState[] {
  const isWanted = (state: UpdateState) =>
    state === 'dead' ? given.has('dead') : state !== 'running' && given.has('waiting');
  return given.has('dead') || given.has('waiting') ? updateStates.filter(isWanted) : updateStates;
}

function warnOfDamage({ damaged }: InboxView, { stderr }: InboxIo): void {
  if (damaged) stderr.write('warning: some of the inbox cannot be read any more; what can is shown\n');
}
