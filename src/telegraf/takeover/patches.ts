/** Properties of objects that are not ours, replaced for a time. */

export class Patches {
  readonly #undo: (() => void)[] = [];
  #active = true;

  /** False once undone. Others may have kept a function of ours; it then passes every call on. */
  get active(): boolean {
    return this.#active;
  }

  replace(target: object, key: PropertyKey, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(target, key);
    const enumerable = before?.enumerable ?? false;
    Object.defineProperty(target, key, { configurable: true, writable: true, enumerable, value });
    this.#undo.push(() => {
      // Whoever has replaced ours meanwhile calls it from his own; taking that away is not our right.
      if (Object.getOwnPropertyDescriptor(target, key)?.value !== value) return;
      if (before) Object.defineProperty(target, key, before);
      else Reflect.deleteProperty(target, key);
    });
  }

  /** Puts everything back, the last first; no error when it is done already. */
  undo(): void {
    this.#active = false;
    for (const step of this.#undo.splice(0).reverse()) step();
  }
}
