/** Describes the settings for people. */
import { flagOf, PREFIX, type Setting, settingKeys, settings } from './schema.js';

const WIDTH = 80;
const INDENT = 6;

/** Returns the setting's flags as people write them, or undefined for a secret, which has no flag. */
export function flagsOf(setting: Setting<unknown>): string | undefined {
  const flag = flagOf(setting);
  return flag && (setting.type.bareFlag ? `--[no-]${flag}` : `--${flag}`);
}

/** Renders every setting with its flag, default and meaning, without a line break at the end. */
export function helpText(): string {
  const intro = `Settings, from flags, from the environment and from .env, in this order of
precedence. Any name may have the prefix ${PREFIX} (${PREFIX}LOG_LEVEL), and then
comes before the name without it. "shared": bot programs have settings of this
name, too; a value without the prefix that lastcall cannot use is left to them,
with a warning.`;
  const entries = settingKeys.map((key) => {
    const { name, fallback, help, type, shared } = settings[key];
    const flags = flagsOf(settings[key]);
    const head = `  ${name}${flags ? `, ${flags}` : ''} (default: ${fallback})${shared ? ', shared' : ''}`;
    return [head, ...wrapped(help), ...wrapped(`Expects ${type.expects}.`)].join('\n');
  });
  return [intro, ...entries].join('\n\n');
}

/** Breaks a text into indented lines that fit on a terminal. */
export function wrapped(text: string, indent = INDENT): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= WIDTH)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`${' '.repeat(indent)}${word}`);
  }
  return lines;
}
