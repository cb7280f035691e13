/** The states of updates that the command line selects. */
import { type UpdateState, updateStates } from '../../inbox/seen-update.js';
import type { Switch } from './context.js';

/** Returns the states that `--dead` and `--waiting` select; all states without either. */
export function statesIn(switches: ReadonlySet<Switch>): readonly UpdateState[] {
  if (!switches.has('dead') && !switches.has('waiting')) return updateStates;
  return updateStates.filter((state) =>
    state === 'dead' ? switches.has('dead') : state !== 'running' && switches.has('waiting'),
  );
}
