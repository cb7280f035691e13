/** Where a value came from, and what is wrong with it: both are told to people in the same words everywhere. */
import { LastcallError } from '../errors.js';
import { maskTokens } from '../token.js';

/** From the strongest to the weakest; `secret-file` is the file that another setting, or systemd, names. */
export type Source =
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'environment' }
  | { readonly kind: 'env-file'; readonly path: string; readonly line?: number }
  | { readonly kind: 'secret-file'; readonly path: string; readonly named: string }
  | { readonly kind: 'default'; readonly from?: string };

/** Short, for a column: `environment`, `.env:3`, `--poll-timeout`. */
export function sourceInWords(source: Source): string {
  switch (source.kind) {
    case 'flag':
      return `--${source.flag}`;
    case 'environment':
      return 'environment';
    case 'env-file':
      return source.line === undefined ? source.path : `${source.path}:${source.line}`;
    case 'secret-file':
      return `${source.named} (${maskTokens(source.path)})`;
    case 'default':
      return source.from === undefined ? 'default' : `default, from ${source.from}`;
  }
}

/** Why a setting cannot be used. The sentence stands alone: it names the setting, the place and what is expected. */
export interface Problem {
  /** The setting's name, or whatever else is to blame. */
  readonly culprit: string;
  readonly sentence: string;
}

/** A value that its setting cannot have. A secret is not quoted, and neither is a token that strayed elsewhere. */
export function badValue(
  name: string,
  source: Source,
  value: { readonly text: string } | 'secret',
  what: string,
): Problem {
  const subject = source.kind === 'flag' ? `--${source.flag}` : name;
  const quoted = value === 'secret' ? 'cannot be used' : `is ${maskTokens(JSON.stringify(value.text))}`;
  return { culprit: name, sentence: `${subject} ${quoted} ${place(source)}: ${what}` };
}

function place(source: Source): string {
  if (source.kind === 'flag') return 'on the command line';
  if (source.kind === 'environment') return 'in the environment';
  return source.kind === 'default' ? 'by default' : `in ${sourceInWords(source)}`;
}

/** All problems as the one error they are raised as. */
export function invalid(problems: readonly Problem[]): LastcallError {
  const culprits = [...new Set(problems.map(({ culprit }) => culprit))].join(', ');
  const [first, ...more] = problems;
  const message =
    first && more.length === 0
      ? first.sentence
      : `${problems.length} things are wrong with the settings:\n${problems.map(({ sentence }) => `  - ${sentence}`).join('\n')}`;
  return new LastcallError('CONFIG_INVALID', culprits, message);
}
