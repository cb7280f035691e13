/** The adapter to pino-pretty, which parses a JSON line and adds the time, the level and their colours. */
import { type PrettyOptions, prettyFactory } from 'pino-pretty';
import { isObject } from '../json.js';
import { createLineView, type LogLine } from './line-view.js';

/** Characters that a terminal could take for commands; not line breaks and tabs, which are harmless. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
const controlCharacters = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Creates a function that turns a JSON line into one or more lines for people, with a line break at the end. */
export function createPrettifier(colour: boolean): (line: string) => string {
  const view = createLineView();
  const options: PrettyOptions = {
    colorize: colour,
    customColors: 'message:reset,trace:gray,debug:blue,info:green,warn:yellow,error:red,fatal:bgRed',
    translateTime: 'SYS:HH:MM:ss.l',
    hideObject: true,
    // pino-pretty would put these fields between level and message.
    ignore: 'pid,name,hostname,caller',
    customPrettifiers: { time: String },
    messageFormat: (line, _key, _label, { colors }) => view(withoutControlCharacters(line), colors),
  };
  return prettyFactory(options);
}

/** Removes control characters, so that people who write to the bot cannot control the terminal of a reader of the log. */
function withoutControlCharacters(line: LogLine): LogLine {
  return Object.fromEntries(Object.entries(line).map(([name, value]) => [cleaned(name), cleaned(value)]));
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(controlCharacters, '');
  if (Array.isArray(value)) return value.map(cleaned);
  return isObject(value) ? withoutControlCharacters(value) : value;
}
