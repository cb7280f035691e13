/** Replaces properties of other people's objects, until they are put back. */

export class Patches {
  readonly #undo: (() => void)[] = [];
  #active = true;

  /** Whether the patches are in place. Somebody may keep a replacement for longer, which then passes every call on. */
  get active(): boolean {
    return this.#active;
  }

  replace(target: object, key: PropertyKey, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(target, key);
    const enumerable = before?.enumerable ?? false;
    Object.defineProperty(target, key, { configurable: true, writable: true, enumerable, value });
    this.#undo.push(() => {
      // A later replacement is left in place, since it belongs to somebody else, and may call ours.
      if (Object.getOwnPropertyDescriptor(target, key)?.value !== value) return;
      if (before) Object.defineProperty(target, key, before);
      else Reflect.deleteProperty(target, key);
    });
  }

  /** Puts every property back, the last first. Does nothing the second time. */
  undo(): void {
    this.#active = false;
    for (const step of this.#undo.splice(0).reverse()) step();
  }
}
