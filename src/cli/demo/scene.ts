/** What befalls the hosts of the demo while people chat: the one that polls is killed, and the next one is frozen. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet, Host } from './fleet.js';
import type { Span } from './poll-gaps.js';

/** From the signal until the other hosts had all that the one had, by `performance.now()`. */
export interface Mishap extends Span {
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  readonly host: Host;
}

/** How long people chat between two events, so that one can see that all is well. */
const CALM_MS = 1_000;

/** Ends when all hosts are well again. Rejects with the signal's reason. */
export async function playScene(
  fleet: Fleet,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly Mishap[]> {
  const mishaps: Mishap[] = [];
  const calm = () => sleep(CALM_MS, undefined, { signal });

  await calm();
  const killed = pollingHost(fleet);
  tell(`✗ ${killed.name} is killed (kill -9): it cannot tell anybody`);
  mishaps.push(await befall(killed, 'SIGKILL'));
  tell(`↻ ${killed.name} is started again, as a supervisor would`);
  const isBack = fleet.next('inbox.standing-by', signal, (host) => host === killed);
  fleet.startAgain(killed);
  await isBack;

  await calm();
  const frozen = pollingHost(fleet);
  tell(`✗ ${frozen.name} is frozen (SIGSTOP): it keeps its connections, and knows of nothing`);
  mishaps.push(await befall(frozen, 'SIGSTOP'));
  await calm();
  tell(`↻ ${frozen.name} goes on (SIGCONT): what it still holds is not its own any more`);
  const isPutRight = fleet.next('inbox.standing-by', signal, (host) => host === frozen);
  frozen.process.kill('SIGCONT');
  await isPutRight;
  await calm();
  return mishaps;

  /** Resolves when another host polls, and the others have what this one had. */
  async function befall(host: Host, by: Mishap['signal']): Promise<Mishap> {
    const fromMs = performance.now();
    const isOver = Promise.all([
      fleet.next('inbox.turn-began', signal),
      fleet.next('inbox.host-freed', signal),
    ]);
    host.process.kill(by);
    await isOver;
    return { signal: by, host, fromMs, toMs: performance.now() };
  }
}

function pollingHost({ polling }: Fleet): Host {
  if (!polling) throw new Error('no host polls');
  return polling;
}
