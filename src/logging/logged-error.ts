/** Turns described errors back into errors, for logs that treat errors in their own way: pino, bunyan, `console`. */
import type { ErrorFields } from './error-fields.js';
import { plainData } from './plain-data.js';

/**
 * Creates an error from its description, without references to objects of the program. Its class has the name of the
 * original's class, which loggers show as the type. As JSON it is the description.
 *
 * @param textOf applied to every text
 */
export function loggedError(fields: ErrorFields, textOf: (text: string) => string): Error {
  const { type: describedType, message, stack, cause, errors, ...properties } = fields;
  const type = textOf(describedType);
  const { [type]: NamedError = Error } = { [type]: class extends Error {} };
  const error = new NamedError(textOf(message));

  const define = (name: string, value: unknown, enumerable: boolean) =>
    Object.defineProperty(error, name, { value, enumerable, configurable: true, writable: true });
  for (const [name, value] of Object.entries(properties))
    define(textOf(name), plainData(value, textOf), true);
  // Not enumerable, as in any error: loggers look for these by name.
  define('name', type, false);
  define('stack', textOf(stack ?? `${type}: ${message}`), false);
  define('toJSON', () => plainData(fields, textOf), false);
  if (cause) define('cause', loggedError(cause, textOf), false);
  if (errors)
    define(
      'errors',
      errors.map((each) => loggedError(each, textOf)),
      false,
    );
  return error;
}
