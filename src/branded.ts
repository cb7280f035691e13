/** Types that keep numbers or texts with different meanings from being mixed up. */

declare const brand: unique symbol;

/** A `Base` with a compile-time tag: it can be used as a `Base`, but a plain `Base` cannot be used in its place. */
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };
