/** The disk as a process uses it that is killed amid its work. */
import type { Disk } from '../../../src/inbox/log/disk.js';

const changing = new Set<PropertyKey>(['create', 'append', 'remove', 'rename', 'replace', 'sync', 'syncNow']);

/** A disk on which each operation that would change it throws, once so many have been done. */
export function killedAfter(disk: Disk, changes: number): Disk {
  let left = changes;
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (changing.has(name) && left-- <= 0) throw new Error('killed');
          const result: unknown = Reflect.apply(value, object, args);
          return name === 'create' && typeof result === 'object' && result ? wrap(result) : result;
        };
      },
    });
  return wrap(disk);
}
