/** What is wrong with the settings, in words for people. */
import { LastcallError } from '../errors.js';
import { maskTokens } from '../token.js';
import { type SettingSource, sourceInWords } from './source.js';

/** Why a setting cannot be used. */
export interface Problem {
  /** The setting's name, or whatever else is to blame. */
  readonly culprit: string;
  /** Names the setting, the place and what is expected. */
  readonly sentence: string;
}

/** Describes a value that its setting cannot have. Secrets, and tokens in the wrong place, are not quoted. */
export function badValue(
  name: string,
  source: SettingSource,
  value: { readonly text: string } | 'secret',
  what: string,
): Problem {
  const subject = source.kind === 'flag' ? `--${source.flag}` : name;
  const quoted = value === 'secret' ? 'cannot be used' : `is ${maskTokens(JSON.stringify(value.text))}`;
  return { culprit: name, sentence: `${subject} ${quoted} ${place(source)}: ${what}` };
}

function place(source: SettingSource): string {
  if (source.kind === 'flag') return 'on the command line';
  if (source.kind === 'environment') return 'in the environment';
  return source.kind === 'default' ? 'by default' : `in ${sourceInWords(source)}`;
}

/** Makes one error CONFIG_INVALID of all problems. */
export function invalid(problems: readonly Problem[]): LastcallError {
  const culprits = [...new Set(problems.map(({ culprit }) => culprit))].join(', ');
  const [first, ...more] = problems;
  const message =
    first && more.length === 0
      ? first.sentence
      : `${problems.length} things are wrong with the settings:\n${problems.map(({ sentence }) => `  - ${sentence}`).join('\n')}`;
  return new LastcallError('CONFIG_INVALID', culprits, message);
}
