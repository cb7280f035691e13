/** Looks at the functions that have called the current one, or wait for it. */

/** What `read` returns for each of them, the innermost first. */
export function readCallSites<T>(read: (site: NodeJS.CallSite) => T): readonly T[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  let found: readonly T[] = [];
  Error.prepareStackTrace = (_, sites) => {
    found = sites.map(read);
  };
  try {
    // Reading the stack has it prepared.
    void new Error('only for its stack').stack;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Error.prepareStackTrace = prepareStackTrace;
  }
  return found;
}
