/**
 * `lastcall inbox retry` and `drop`: they change nothing themselves. The process that works with the inbox does, which
 * alone knows what is being handled; or the next one, as soon as it starts.
 */
import { ExitCode } from '../../exit-code.js';
import type { Seq, UpdateId } from '../../inbox/ids.js';
import type { InboxAnswer, InboxRequest } from '../../inbox/store/requests.js';
import type { SeenUpdate, UpdateState } from '../../inbox/store/view.js';
import { ask, type Outcome } from './request.js';
import { inWords, look, print, type Task, withIds } from './task.js';
import { actionInWords } from './text.js';

type Action = InboxRequest['action'];

/** The id of each update that is asked for, by the journal's own number. */
type Asked = ReadonlyMap<Seq, UpdateId>;

/** Tries dead letters again: those with the ids, or all. */
export const retry = (task: Task): Promise<number> => request(task, 'retry', task.given.has('all'));

/** Drops what has the ids and does not run, or all that is dead. */
export const drop = (task: Task): Promise<number> => request(task, 'drop', task.given.has('dead'));

async function request(task: Task, action: Action, everyDead: boolean): Promise<number> {
  const { view } = await look(task.inbox);
  const found = everyDead ? view.updates(['dead']) : withIds(view.updates(), task.ids);
  const { asked, complaints } = sortOut(found, task.ids, action);
  for (const complaint of complaints) task.io.stderr.write(`${complaint}\n`);
  const allDone = await demand(task, action, asked);
  return allDone && complaints.length === 0 ? ExitCode.clean : ExitCode.cut;
}

/** What is worth asking for, and what is wrong with the rest. */
function sortOut(
  found: Iterable<SeenUpdate>,
  ids: readonly number[],
  action: Action,
): { readonly asked: Asked; readonly complaints: readonly string[] } {
  const asked = new Map<Seq, UpdateId>();
  const alive = new Map<number, UpdateState>();
  // Whether one is being handled is for the process to say that handles it.
  for (const { seq, updateId, state } of found)
    if (action === 'drop' || state === 'dead') asked.set(seq, updateId);
    else alive.set(updateId, state);
  const known = new Set<number>(asked.values());
  const complaints = ids.flatMap((id) => {
    if (known.has(id)) return [];
    const state = alive.get(id);
    return state ? `update ${id} is ${state}, not dead` : `update ${id} is not in the inbox`;
  });
  return { asked, complaints };
}

/** Whether all of it is done, or will be at the next start. */
async function demand({ io, inbox }: Task, action: Action, asked: Asked): Promise<boolean> {
  if (asked.size === 0) {
    await print(io, [`nothing to ${action}\n`]);
    return true;
  }
  const wish = actionInWords(action, 'asked', [...asked.values()]);
  const outcome = await outcomeOf({ io, inbox }, { action, seqs: [...asked.keys()] });
  if (outcome.kind === 'answered') return tell({ io, inbox }, action, asked, outcome.answer);
  if (outcome.kind === 'nobody-there') {
    await print(io, [`no process works with the inbox now; the next one will ${wish}\n`]);
    return true;
  }
  const { attendant } = await look(inbox);
  const why = outcome.kind === 'stopped' ? 'the answer was not waited for' : 'there was no answer';
  io.stderr.write(`${why}; the request stays, to ${wish}\n${inWords(attendant)}\n`);
  return false;
}

async function outcomeOf(
  { io, inbox }: Pick<Task, 'io' | 'inbox'>,
  what: InboxRequest,
): Promise<Outcome | { readonly kind: 'stopped' }> {
  try {
    return await ask(inbox, what, io.signal);
  } catch (error) {
    if (io.signal.aborted) return { kind: 'stopped' };
    throw error;
  }
}

async function tell(
  { io, inbox }: Pick<Task, 'io' | 'inbox'>,
  action: Action,
  asked: Asked,
  { done, refused }: InboxAnswer,
): Promise<boolean> {
  const ids = done.flatMap((seq) => asked.get(seq) ?? []);
  if (ids.length > 0) await print(io, [`${actionInWords(action, 'done', ids)}\n`]);
  if (refused.length === 0) return true;
  const { view } = await look(inbox);
  for (const seq of refused)
    io.stderr.write(`update ${asked.get(seq)} was refused: ${whyRefused(view.stateOf(seq))}\n`);
  return false;
}

function whyRefused(state: UpdateState | undefined): string {
  if (state === 'running') return 'its handler is at work';
  return state === undefined ? 'it is not in the inbox any more' : `it is ${state}`;
}
