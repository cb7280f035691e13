/** What keeps a process alive: whether a program still has something open is told by it, for want of better. */

/** How many there are of each kind, by Node's names for them. */
export type Resources = ReadonlyMap<string, number>;

/** Node's own: a terminal is open as long as the process lives, and immediates pass with the turn. */
const ignored: ReadonlySet<string> = new Set(['TTYWrap', 'Immediate']);

export function openResources(): Resources {
  // A standard stream counts from its first use on, which would look as if the program had opened it.
  void [process.stdout, process.stderr];
  const resources = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (!ignored.has(kind)) resources.set(kind, (resources.get(kind) ?? 0) + 1);
  return resources;
}

/** The kinds of which there are more than before. */
export function more(now: Resources, before: Resources): string[] {
  return [...now].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind);
}
