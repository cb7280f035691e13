/** Types for numbers and texts that mean different things and must not be handed over as one another. */

declare const brand: unique symbol;

/** A `Base` that can be used as such, while only a value that was named so can be used as it. */
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };
