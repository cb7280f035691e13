/** What one call of `lastcall inbox` is about, and what all its ways share. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InboxView, type SeenUpdate } from '../../inbox/store/view.js';
import { codeOf } from '../../system-error.js';
import { orderKey, updateKind } from '../../telegraf/order-key.js';
import { durationInWords } from '../../words.js';
import { type Attendant, attendantOf, idAtWork } from './attendant.js';
import type { BotInbox } from './bots.js';

/** The parts of the process that the command touches. */
export interface InboxIo {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: Pick<NodeJS.WritableStream, 'write'>;
  /** Ends the command, wherever it is. */
  readonly signal: AbortSignal;
}

export const switchNames = ['all', 'dead', 'json', 'waiting'] as const;
export type Switch = (typeof switchNames)[number];

export interface Task {
  readonly io: InboxIo;
  readonly inbox: BotInbox;
  /** The ids of updates: each once. */
  readonly ids: readonly number[];
  readonly given: ReadonlySet<Switch>;
}

/** What is in the inbox now, and who works with it. Rejects as the view throws. */
export async function look({
  bot,
  folder,
}: BotInbox): Promise<{ readonly attendant: Attendant; readonly view: InboxView }> {
  const attendant = await attendantOf({ bot, folder });
  const runId = idAtWork(attendant);
  const reading = { now: Date.now, keyOf: orderKey, kindOf: updateKind };
  return { attendant, view: new InboxView({ ...reading, folder, bot, runId }) };
}

/** Telegram may give an id a second time, once it has begun anew: then it stands for several. */
export function* withIds(updates: Iterable<SeenUpdate>, ids: readonly number[]): Generator<SeenUpdate> {
  const wanted = new Set(ids);
  for (const update of updates) if (wanted.has(update.updateId)) yield update;
}

/** Who works with the inbox, as a sentence. */
export function inWords(attendant: Attendant): string {
  switch (attendant.where) {
    case 'here':
      return 'A process on this host works with it.';
    case 'nowhere':
      return 'No process works with it now.';
    case 'elsewhere': {
      const silence = durationInWords(attendant.silentMs);
      return `A process on ${attendant.place} has it, whose last sign of life is ${silence} old; no more can be known from here.`;
    }
  }
}

/** As fast as it is read; that nobody reads on (`| head`) is no failure. */
export async function print({ stdout, signal }: InboxIo, texts: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(texts), stdout, { end: false, signal });
    await allTaken(stdout, signal);
  } catch (error) {
    const code = codeOf(error);
    if (!signal.aborted && code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** The process exits once the command is done: by then a slow reader must have been given all. */
function allTaken(stdout: NodeJS.WritableStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    stdout.write('', () => resolve());
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
