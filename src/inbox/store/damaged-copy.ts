/** Where the damaged files of an inbox are kept, so that nothing is lost that somebody could still recover. */

/** What of the inbox could not be read. */
export interface Damage {
  /** Where the damaged files are kept. */
  readonly path: string;
  readonly bytes: number;
  /** How many updates could be read. */
  readonly saved: number;
}

/** The path with the time added to its name, because it may be damaged again. */
export function damagedCopyPath(path: string, nowMs: number): string {
  return `${path}.damaged-${new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
}
