/** Gathers what there is to show of the bots that were found, and of the state folders that they are in. */
import { type FailedStart, readFailedStarts } from '../../observe/history/failed-starts.js';
import { type Found, onlyBotOf } from '../status/places.js';
import { type BotHistory, readHistory } from './read.js';

/** The failed starts of a state folder with several bots, or none: nothing tells which bot they were of. */
interface UnknownStarts {
  /** Absolute path. */
  readonly stateDir: string;
  readonly starts: readonly FailedStart[];
}

export interface Gathered {
  /** Those with something to show. */
  readonly histories: readonly BotHistory[];
  readonly unknown: readonly UnknownStarts[];
}

export async function gather(
  { bots, places }: Pick<Found, 'bots' | 'places'>,
  nowMs: number,
): Promise<Gathered> {
  const ofOnlyBot = new Map<string, readonly FailedStart[]>();
  const unknown: UnknownStarts[] = [];
  for (const place of places) {
    const { stateDir } = place;
    const starts = readFailedStarts(stateDir);
    const only = onlyBotOf(place, bots);
    if (only) ofOnlyBot.set(only.folder, starts);
    else if (starts.length > 0) unknown.push({ stateDir, starts });
  }
  const read = await Promise.all(
    bots.map(async (bot) => ({
      ...(await readHistory(bot, nowMs)),
      failedStarts: ofOnlyBot.get(bot.folder) ?? [],
    })),
  );
  const histories = read.filter(({ runs, failedStarts }) => runs.length + failedStarts.length > 0);
  return { histories, unknown };
}
