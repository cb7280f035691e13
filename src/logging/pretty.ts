/** Where pino-pretty enters: it reads the JSON line, and gives it its time, its level and their colours. */
import { type PrettyOptions, prettyFactory } from 'pino-pretty';
import { createLineView, isRecord, type LogLine } from './line-view.js';

/** What a terminal would take for commands; line breaks and tabs are no such thing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
const controlCharacters = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Makes a function that turns a line of JSON into one or more lines for people, with the line break at their end. */
export function createPrettifier(colour: boolean): (line: string) => string {
  const view = createLineView();
  const options: PrettyOptions = {
    colorize: colour,
    customColors: 'message:reset,trace:gray,debug:blue,info:green,warn:yellow,error:red,fatal:bgRed',
    translateTime: 'SYS:HH:MM:ss.l',
    hideObject: true,
    // It would put these between level and message; they are fields like others.
    ignore: 'pid,name,hostname,caller',
    customPrettifiers: { time: String },
    messageFormat: (line, _key, _label, { colors }) => view(withoutControlCharacters(line), colors),
  };
  return prettyFactory(options);
}

/** What people wrote may be in a line, but must not steer the terminal of whoever reads it. */
function withoutControlCharacters(line: LogLine): LogLine {
  return Object.fromEntries(Object.entries(line).map(([name, value]) => [cleaned(name), cleaned(value)]));
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(controlCharacters, '');
  if (Array.isArray(value)) return value.map(cleaned);
  return isRecord(value) ? withoutControlCharacters(value) : value;
}
