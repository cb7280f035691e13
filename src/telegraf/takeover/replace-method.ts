/** Replaces methods of `process` for as long as the patches are in place. */
import type { Patches } from './patches.js';

export type Method = (...args: unknown[]) => unknown;

/** @param takeover called in place of the method; `pass` calls the original one */
export function replaceMethod(
  patches: Patches,
  method: keyof NodeJS.Process,
  takeover: (args: unknown[], pass: () => unknown) => unknown,
): void {
  const original = process[method] as Method;
  patches.replace(process, method, function (this: unknown, ...args: unknown[]) {
    const pass = () => Reflect.apply(original, this, args);
    return patches.active ? takeover(args, pass) : pass();
  });
}
