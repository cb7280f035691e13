/**
 * `lastcall inbox retry` and `lastcall inbox drop`. Both only send a request. The process that owns the inbox, or the next
 * one when it starts, changes the inbox, because only the owner knows which updates are being handled.
 */
import { ExitCode } from '../../exit-code.js';
import type { Seq, UpdateId } from '../../inbox/ids.js';
import { type SeenUpdate, type UpdateState, updateStates } from '../../inbox/seen-update.js';
import type { InboxAnswer, InboxRequest } from '../../inbox/store/requests.js';
import type { InboxContext } from './context.js';
import { actionInWords } from './format.js';
import { print } from './print.js';

type Action = InboxRequest['action'];

/** Update ids by sequence number. */
type Targets = ReadonlyMap<Seq, UpdateId>;

/** Requests another try of the dead letters with the given ids, of those that the filter selects, or of all with `--all`. */
export const retry = (context: InboxContext): Promise<number> =>
  request(context, 'retry', context.switches.has('all'));

/** Requests the removal of the updates with the given ids, or of all dead letters with `--dead`, or of those that the filter selects. */
export const drop = (context: InboxContext): Promise<number> =>
  request(context, 'drop', context.switches.has('dead'));

async function request(context: InboxContext, action: Action, allDead: boolean): Promise<number> {
  const { io, inbox, ids, filter } = context;
  const selection = filter || allDead ? { states: ['dead'] as const } : { states: updateStates, ids };
  const found: SeenUpdate[] = [];
  for await (const update of inbox.updates(selection)) if (filter?.(update) ?? true) found.push(update);
  const { targets, complaints } = selectTargets(found, ids, action);
  for (const complaint of complaints) io.stderr.write(`${complaint}\n`);
  const allDone = await sendAndReport(context, action, targets);
  return allDone && complaints.length === 0 ? ExitCode.clean : ExitCode.cut;
}

/** Splits the updates into targets of the request, and complaints about ids that cannot be targets. */
function selectTargets(
  found: readonly SeenUpdate[],
  ids: readonly number[],
  action: Action,
): { readonly targets: Targets; readonly complaints: readonly string[] } {
  const targets = new Map<Seq, UpdateId>();
  const alive = new Map<number, UpdateState>();
  // A running update may be requested too: only the owner knows whether its handler still runs.
  for (const { seq, updateId, state } of found)
    if (action === 'drop' || state === 'dead') targets.set(seq, updateId);
    else alive.set(updateId, state);
  const known = new Set<number>(targets.values());
  const complaints = ids.flatMap((id) => {
    if (known.has(id)) return [];
    const state = alive.get(id);
    return state ? `update ${id} is ${state}, not dead` : `update ${id} is not in the inbox`;
  });
  return { targets, complaints };
}

/** Resolves to whether the whole request was granted, or was left for the next start. */
async function sendAndReport(context: InboxContext, action: Action, targets: Targets): Promise<boolean> {
  const { io, inbox } = context;
  if (targets.size === 0) {
    await print(io, [`nothing to ${action}\n`]);
    return true;
  }
  const wanted = actionInWords(action, 'requested', [...targets.values()]);
  const result = await inbox.request({ action, seqs: [...targets.keys()] }, io.signal);
  if (result.kind === 'answered') return report(context, action, targets, result.answer);
  if (result.kind === 'not-in-use') {
    await print(io, [`the inbox is not in use; the next process to open it will ${wanted}\n`]);
    return true;
  }
  const why = result.kind === 'stopped' ? 'stopped waiting for an answer' : 'no answer';
  io.stderr.write(`${why}; kept the request to ${wanted}\n${await inbox.usersInWords()}\n`);
  return false;
}

/** Prints the answer; resolves to whether nothing was refused. */
async function report(
  { io, inbox }: InboxContext,
  action: Action,
  targets: Targets,
  { done, refused }: InboxAnswer,
): Promise<boolean> {
  const ids = done.flatMap((seq) => targets.get(seq) ?? []);
  if (ids.length > 0) await print(io, [`${actionInWords(action, 'done', ids)}\n`]);
  if (refused.length === 0) return true;
  const states = await inbox.statesOf(refused);
  for (const seq of refused)
    io.stderr.write(`update ${targets.get(seq)} was refused: ${whyRefused(states.get(seq))}\n`);
  return false;
}

function whyRefused(state: UpdateState | undefined): string {
  if (state === 'running') return 'its handler is running';
  if (state === 'waiting') return 'a process is about to handle it';
  return state === undefined ? 'it is no longer in the inbox' : `it is ${state}`;
}
