import { createLogging, type LoggingOptions } from '../../src/logging/logger.js';
import { MemoryOutput } from './memory-output.js';

interface Given {
  readonly level?: string;
  readonly format?: LoggingOptions['config']['logFormat'];
  readonly secrets?: readonly string[];
  readonly env?: Record<string, string>;
  readonly isTTY?: boolean;
}

/** A log that writes into memory. */
export async function logInto(output: MemoryOutput, given: Given = {}) {
  const { level = 'info', format = 'auto', secrets = [], env = {}, isTTY = false } = given;
  output.isTTY = isTTY;
  return createLogging({
    config: { logLevel: level, logFormat: format },
    secrets,
    process: { pid: 42, env, stdout: output, stderr: new MemoryOutput() },
  });
}
