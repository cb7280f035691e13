/** Turns any value into JSON data, so that no value that a program logs or throws can make the log fail. */
import { readProperty, tryOr, UNREADABLE } from '../thrown.js';

const MAX_DEPTH = 12;
/** How many values one line may hold, so that a huge object cannot block the process. */
const MAX_VALUES = 5_000;

/**
 * Copies a value as JSON data. Values that JSON has no form for become texts, and values that are circular, too deep or too
 * many become marks such as `[cut]`. Never throws, whatever getters, proxies and `toJSON` methods do.
 *
 * @param textOf applied to every text, property names included
 */
export function plainData(value: unknown, textOf: (text: string) => string = (text) => text): unknown {
  let left = MAX_VALUES;
  return copy(value, []);

  function copy(original: unknown, above: readonly unknown[]): unknown {
    if (--left < 0) return '[cut]';
    const source = tryOr(() => fromToJson(original), original);
    switch (typeof source) {
      case 'string':
        return textOf(source);
      case 'number':
        return Number.isFinite(source) ? source : null;
      case 'bigint':
      case 'symbol':
        return textOf(String(source));
      case 'function':
        return '[function]';
      case 'object':
        return source === null ? null : copyObject(source, above);
      default:
        return source;
    }
  }

  function copyObject(source: object, above: readonly unknown[]): unknown {
    if (above.includes(source)) return '[circular]';
    if (above.length >= MAX_DEPTH) return '[too deep]';
    const path = [...above, source];
    return tryOr((): unknown => {
      if (Array.isArray(source)) return source.slice(0, left + 1).map((item) => copy(item, path));
      const properties = Object.keys(source)
        .slice(0, left + 1)
        .map((name) => [textOf(name), copy(readProperty(source, name, UNREADABLE), path)] as const);
      return Object.fromEntries(properties.filter(([, property]) => property !== undefined));
    }, UNREADABLE);
  }
}

/** Calls the value's `toJSON` method, by which dates, URLs and other classes define their form as data. */
function fromToJson(value: unknown): unknown {
  const toJson = readProperty(value, 'toJSON');
  return typeof toJson === 'function' ? Reflect.apply(toJson, value, ['']) : value;
}
