/** Promises that are settled from outside. */

/** A promise that nobody need wait for. */
export function awaited(): Resolvers<void> {
  const resolvers = withResolvers<void>();
  resolvers.promise.catch(() => {});
  return resolvers;
}

export interface Resolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** As `Promise.withResolvers`, which Node 20 does not have. */
export function withResolvers<T>(): Resolvers<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((...functions) => {
    [resolve, reject] = functions;
  });
  return { promise, resolve, reject };
}
