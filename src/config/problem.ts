/** Describes problems of the settings for people. */
import { LastcallError } from '../errors.js';
import { maskTokens } from '../token.js';
import { nameAsSet, type SettingSource, sourceInWords } from './source.js';

/** Why a setting cannot be used. */
export interface Problem {
  /** The name of the setting, argument or file with the problem. */
  readonly culprit: string;
  /** A sentence with the setting, the place of its value, and the expected value. */
  readonly sentence: string;
}

/** Describes an invalid value. Secrets, and tokens in the wrong place, are not quoted. */
export function badValue(
  name: string,
  source: SettingSource,
  value: { readonly text: string } | 'secret',
  what: string,
): Problem {
  const subject = source.kind === 'flag' ? `--${source.flag}` : nameAsSet(name, source);
  const quoted = value === 'secret' ? 'cannot be used' : `is ${maskTokens(JSON.stringify(value.text))}`;
  return { culprit: name, sentence: `${subject} ${quoted} ${place(source)}: ${what}` };
}

function place(source: SettingSource): string {
  if (source.kind === 'flag') return 'on the command line';
  if (source.kind === 'environment') return 'in the environment';
  return source.kind === 'default' ? 'by default' : `in ${sourceInWords(source)}`;
}

/** Creates one error CONFIG_INVALID from all problems. */
export function invalid(problems: readonly Problem[]): LastcallError {
  const culprits = [...new Set(problems.map(({ culprit }) => culprit))].join(', ');
  const [first, ...more] = problems;
  const message =
    first && more.length === 0
      ? first.sentence
      : `${problems.length} things are wrong with the settings:\n${problems.map(({ sentence }) => `  - ${sentence}`).join('\n')}`;
  return new LastcallError('CONFIG_INVALID', culprits, message);
}
