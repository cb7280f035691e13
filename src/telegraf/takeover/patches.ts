/** Replaces properties of other people's objects, until they are put back. */

export class Patches {
  readonly #undo: (() => void)[] = [];
  #active = true;

  /** Whether the patches are in place. Somebody may keep a replacement for longer, which then passes every call on. */
  get active(): boolean {
    return this.#active;
  }

  replace(target: object, key: PropertyKey, value: unknown): void {
    const enumerable = Object.getOwnPropertyDescriptor(target, key)?.enumerable ?? false;
    this.define(target, key, { writable: true, enumerable, value });
  }

  define(target: object, key: PropertyKey, descriptor: PropertyDescriptor): void {
    const before = Object.getOwnPropertyDescriptor(target, key);
    Object.defineProperty(target, key, { ...descriptor, configurable: true });
    this.#undo.push(() => {
      // A later replacement is left in place, since it belongs to somebody else, and may call ours.
      const now = Object.getOwnPropertyDescriptor(target, key);
      if (now?.value !== descriptor.value || now?.get !== descriptor.get) return;
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
