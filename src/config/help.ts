/** Describes the settings for people: on a terminal, and as the table of the README. */
import { flagOf, settingKeys, settings } from './schema.js';

/** The width of a help text in columns. */
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

/** Renders every setting with its flag, default and meaning, without a line break at the end. */
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

/** Renders the settings as a Markdown table for the README, without a line break at the end. */
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
