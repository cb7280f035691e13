/** The adapter to pino. */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

export type { Logger } from 'pino';

/** Creates a logger that passes each JSON line, with its line break, to `write` before the logging call returns. */
export function createPino(options: LoggerOptions, write: (line: string) => void): Logger {
  const destination: DestinationStream = { write };
  return pino(options, destination);
}
