/** Counts the resources that keep the process alive, by kind: enough to tell whether a program has anything open. */

/** The number of open resources of each kind, by Node's names for the kinds. */
export type Resources = ReadonlyMap<string, number>;

/** Kinds that say nothing of the program: a terminal stays open for good, and immediates end with the turn. */
const ignored: ReadonlySet<string> = new Set(['TTYWrap', 'Immediate']);

export function openResources(): Resources {
  // A standard stream counts from its first use on, which would look as if the program had opened it.
  void [process.stdout, process.stderr];
  const resources = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (!ignored.has(kind)) resources.set(kind, (resources.get(kind) ?? 0) + 1);
  return resources;
}

/** The kinds of which there are more now than before. */
export function addedKinds(now: Resources, before: Resources): string[] {
  return [...now].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind);
}
