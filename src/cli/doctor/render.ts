/** Puts findings into words: one line for what is well, and below what is not, what to do about it. */
import { wrapped } from '../../config/help.js';
import { maskTokens } from '../../token.js';
import { count, durationInWords } from '../../words.js';
import { printable } from '../inbox/format.js';
import type { Finding, Group, Verdict } from './finding.js';

const words: Readonly<Record<Verdict, string>> = {
  well: 'ok',
  skipped: 'skipped',
  warning: 'warning',
  wrong: 'WRONG',
};
const colours: Readonly<Record<Verdict, string>> = {
  well: '\u001b[32m',
  skipped: '\u001b[2m',
  warning: '\u001b[33m',
  wrong: '\u001b[1;31m',
};
const BOLD = '\u001b[1m';
const RESET = '\u001b[0m';

/** Stands before what to do. */
const ARROW = '-> ';
/** By how much commands stand apart from the words around them. */
const COMMAND_INDENT = 2;
const VERDICT_WIDTH = 9;
const CHECK_WIDTH = 12;
const INDENT = 2 + VERDICT_WIDTH + CHECK_WIDTH;

export interface RenderOptions {
  /** How lastcall is called here, such as `npx lastcall`. */
  readonly call: string;
  readonly colours: boolean;
  readonly tookMs: number;
}

export function render(groups: readonly Group[], options: RenderOptions): string {
  const paint = (text: string, code: string) => (options.colours ? `${code}${text}${RESET}` : text);
  const blocks = groups
    .filter(({ findings }) => findings.length > 0)
    .map(({ name, findings }) => {
      const lines = findings.flatMap((finding) => linesOf(finding, paint, options.call));
      return [paint(name, BOLD), ...lines].map((line) => `${line}\n`).join('');
    });
  return `${blocks.join('\n')}\n${summary(groups, options)}\n`;
}

function linesOf(
  { check, verdict, text, cure, commands = [] }: Finding,
  paint: (text: string, code: string) => string,
  call: string,
): readonly string[] {
  const [first = '', ...more] = wrapped(printable(text), INDENT);
  const head = `  ${paint(words[verdict].padEnd(VERDICT_WIDTH), colours[verdict])}${check.padEnd(CHECK_WIDTH)}`;
  const cures = cure === undefined ? [] : wrapped(printable(cure), INDENT + ARROW.length);
  // Not wrapped, since they are to be pasted.
  const indent = ' '.repeat(INDENT + ARROW.length + COMMAND_INDENT);
  const pasted = commands.map((command) => `${indent}${paint(printable(calledAs(call, command)), BOLD)}`);
  const marked = cures.map((line, index) =>
    index === 0 ? `${' '.repeat(INDENT)}${ARROW}${line.trimStart()}` : line,
  );
  return [`${head}${first.slice(INDENT)}`, ...more, ...marked, ...pasted];
}

/** A command as it has to be pasted where lastcall is called so. The names of units and apps may be `lastcall`, too. */
const calledAs = (call: string, command: string): string =>
  command.replace(/(?<=^|\s)(?<!npx )lastcall(?= (?:config|doctor|inbox|run|status)\b)/, call);

function summary(groups: readonly Group[], { tookMs }: RenderOptions): string {
  const numbers = numbersOf(groups);
  const took = `(looked for ${durationInWords(tookMs)})`;
  if (numbers.wrong + numbers.warning === 0) {
    const unknown =
      numbers.skipped > 0 ? `, as far as could be told: ${count(numbers.skipped, 'check')} skipped` : '';
    return `All is well${unknown} ${took}.`;
  }
  const parts = [
    ...(numbers.wrong > 0
      ? [`${count(numbers.wrong, 'thing')} ${numbers.wrong === 1 ? 'is' : 'are'} wrong`]
      : []),
    ...(numbers.warning > 0 ? [`${count(numbers.warning, 'thing')} may become wrong`] : []),
  ];
  return `${parts.join(', ')} ${took}.`;
}

function numbersOf(groups: readonly Group[]): Readonly<Record<Verdict, number>> {
  const numbers = { well: 0, skipped: 0, warning: 0, wrong: 0 };
  for (const { findings } of groups) for (const { verdict } of findings) numbers[verdict] += 1;
  return numbers;
}

export const isWrong = (groups: readonly Group[]): boolean => numbersOf(groups).wrong > 0;

/** The findings for programs. */
export function asJson(groups: readonly Group[], tookMs: number): string {
  const { wrong, warning } = numbersOf(groups);
  const verdict = wrong > 0 ? 'wrong' : warning > 0 ? 'warning' : 'well';
  const findings = groups.flatMap(({ name, findings: found }) =>
    found.map((finding) => ({ group: name, ...finding })),
  );
  return maskTokens(JSON.stringify({ verdict, tookMs: Math.round(tookMs), findings }, undefined, 2));
}
