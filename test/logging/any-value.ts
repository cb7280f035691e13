import fc from 'fast-check';

const fail = () => {
  throw new Error('looked at');
};

/** Values that throw, or never end, when they are looked at or written as JSON. */
const hostileValues: readonly (() => unknown)[] = [
  () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = [circular];
    return circular;
  },
  () => {
    const circular = new Error('circular');
    circular.cause = circular;
    return circular;
  },
  () => 7n,
  () => Symbol('s'),
  () => fail,
  () => new Date(Number.NaN),
  () => ({ toJSON: fail }),
  () => ({ toString: fail, valueOf: fail, [Symbol.toPrimitive]: fail }),
  () => Object.assign(fail.bind(undefined), { toString: fail }),
  () =>
    Object.defineProperties(
      {},
      { good: { value: 1, enumerable: true }, bad: { get: fail, enumerable: true } },
    ),
  () => new Proxy({}, { get: fail, ownKeys: fail, getPrototypeOf: fail }),
  () => new Proxy(new Error('x'), { get: fail, ownKeys: fail, getPrototypeOf: fail }),
  () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    return proxy;
  },
  () => {
    let deep: unknown = 'bottom';
    for (let depth = 0; depth < 20_000; depth++) deep = depth % 2 ? [deep] : { deep };
    return deep;
  },
  () => {
    let wide: unknown = 'leaf';
    for (let depth = 0; depth < 11; depth++) wide = [wide, wide, wide, wide];
    return wide;
  },
  () => new Array(4_000_000_000),
];

/** Makes any value at all, or one that does its worst, on its own or inside of another; fast-check must not look at it. */
export const anyValue: fc.Arbitrary<() => unknown> = fc.oneof(
  fc
    .anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSparseArray: true,
      withTypedArray: true,
    })
    .map((value) => () => value),
  fc.constantFrom(...hostileValues),
  fc.constantFrom(...hostileValues).map((make) => () => ({ a: [make(), { b: make() }] })),
);
