/**
 * The output of a bot's process: written on as it would look without a program in between, but with tokens masked, and kept
 * as a log.
 */
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { isObject, parseJson } from '../json.js';
import { createLineView, type LogLine, type Paint } from '../logging/line-view.js';
import { createPrettifier } from '../logging/pretty.js';
import type { BotLog } from '../sandbox/bot-log.js';
import type { LogLevel } from '../sandbox/bot-process.js';
import { dividableAt, maskTokens } from '../token.js';

/** A line that does not end is divided here, in characters, so that it fills no memory. */
const MAX_LINE_LENGTH = 1_000_000;

export interface BotOutputOptions {
  readonly log: BotLog;
  /** Where the lines of lastcall go on as text for people; else they go on as the JSON that they are. */
  readonly isPretty: boolean;
  readonly hasColour: boolean;
}

interface Output {
  write(chunk: string): unknown;
}

const levels: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] satisfies LogLevel[];

const plain: Paint = { dim: String, bold: String, red: String, yellow: String };

export class BotOutput {
  readonly #options: BotOutputOptions;
  readonly #view = createLineView();
  readonly #prettify: (line: string) => string;

  constructor(options: BotOutputOptions) {
    this.#options = options;
    this.#prettify = createPrettifier(options.hasColour);
  }

  /** Takes all lines of a stream until it ends. */
  take(source: 'stdout' | 'stderr', stream: Readable, output: Output): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#takeLine(source, line, output);
      if (rest.length <= MAX_LINE_LENGTH) return;
      const end = dividableAt(rest);
      this.#takeLine(source, rest.slice(0, end), output);
      rest = rest.slice(end);
    });
    stream.on('end', () => {
      if (rest !== '') this.#takeLine(source, rest, output);
    });
    // The process is gone, and its end says how.
    stream.on('error', () => {});
  }

  #takeLine(source: 'stdout' | 'stderr', written: string, output: Output): void {
    const line = maskTokens(written);
    const { log, isPretty } = this.#options;
    const parsed = source === 'stdout' ? logLineIn(line) : undefined;
    // A program's own log in numbers of pino is left as the program writes it.
    const isOurs = typeof parsed?.['level'] === 'string';
    output.write(isOurs && isPretty ? this.#prettify(line) : `${line}\n`);
    if (parsed) {
      const text = withoutIndent(this.#view(parsed, plain));
      log.add({ source, level: levelOf(parsed), text });
    } else if (line.trim() !== '') log.add({ source, text: stripVTControlCharacters(line) });
  }
}

/** Returns a line of a log in pino's format, such as lastcall's; undefined for any other line. */
function logLineIn(line: string): LogLine | undefined {
  if (!line.startsWith('{"level":')) return undefined;
  const parsed = parseJson(line);
  return isObject(parsed) && levelOf(parsed) !== undefined ? parsed : undefined;
}

function levelOf({ level }: LogLine): LogLevel | undefined {
  const name = typeof level === 'number' ? levels[level / 10 - 1] : level;
  return levels.find((known): known is LogLevel => known === name);
}

/** The view indents further lines to the column of the first one's message. */
const withoutIndent = (text: string): string => text.trimStart().replaceAll(/\n {20}/g, '\n');
