/** Figures of several peers over several rounds, and the bounds they are held to. */

export function median(figures) {
  const sorted = figures.filter((figure) => figure !== undefined).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/**
 * Runs each peer once a round, by turns, so that a disturbance of the machine meets all alike; every other round the
 * other way about.
 *
 * @returns what `run` resolved with, by the peer's name, one a round
 */
export async function byTurns(names, rounds, run) {
  const found = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? names : names.toReversed()) found[name].push(await run(name));
  return found;
}

/** Of each peer the median of one of its figures. */
export const medians = (found, pick = (figure) => figure) =>
  Object.fromEntries(Object.entries(found).map(([name, figures]) => [name, median(figures.map(pick))]));

/** Of each round what `compare` makes of its figures, which are by the peer's name; the median of that. */
export function medianOfRounds(found, compare) {
  const names = Object.keys(found);
  const [{ length }] = Object.values(found);
  const rounds = Array.from({ length }, (_, round) =>
    compare(Object.fromEntries(names.map((name) => [name, found[name][round]]))),
  );
  return median(rounds);
}

/** The least figure of the named peers. */
export const least = (figures, names) => Math.min(...names.map((name) => figures[name]));

/** What a figure is held to; a figure that could not be had breaks nothing. */
export const atMost = (what, figure, limit, unit = '') =>
  bound(what, figure, '≤', limit, unit, !(figure > limit));
export const atLeast = (what, figure, limit, unit = '') =>
  bound(what, figure, '≥', limit, unit, !(figure < limit));

function bound(what, figure, sign, limit, unit, holds) {
  return { text: `${what}: ${rounded(figure)} ${sign} ${rounded(limit)}${unit && ` ${unit}`}`, holds };
}

const rounded = (figure) => `${Number(figure.toPrecision(3))}`;
