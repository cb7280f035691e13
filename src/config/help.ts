/** The settings for people to read: on a terminal, and as the table of the README. */
import { flagOf, settingKeys, settings } from './schema.js';

/** How wide a help text may be; terminals are 80 columns by custom. */
const WIDTH = 80;
const INDENT = ' '.repeat(6);

const rows = () =>
  settingKeys.map((key) => {
    const setting = settings[key];
    const { name, fallback, help, type } = setting;
    const flag = flagOf(setting);
    const flags = flag === undefined ? undefined : type.bareFlag ? `--[no-]${flag}` : `--${flag}`;
    return { name, fallback, help, expects: type.expects, flags };
  });

/** Every setting with its flag, default and meaning. Ends without a line break. */
export function helpText(): string {
  const intro = [
    'Settings, from the environment, from .env, or as flags (a flag comes before the',
    'environment, the environment before .env):',
  ];
  const entries = rows().map(({ name, fallback, help, expects, flags }) =>
    [
      `  ${name}${flags ? `, ${flags}` : ''} (default: ${fallback})`,
      ...wrapped(help),
      ...wrapped(`Expects ${expects}.`),
    ].join('\n'),
  );
  return [intro.join('\n'), ...entries].join('\n\n');
}

/** The same as a Markdown table; the README's is held to it by a test. Ends without a line break. */
export function settingsMarkdown(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const lines = rows().map(
    ({ name, fallback, help, flags }) =>
      `| \`${name}\`${flags ? `<br>\`${flags}\`` : ''} | ${cell(fallback)} | ${cell(help)} |`,
  );
  return ['| setting | default | what it does |', '| --- | --- | --- |', ...lines].join('\n');
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= WIDTH)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`${INDENT}${word}`);
  }
  return lines;
}
