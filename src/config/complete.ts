/** Completes settings that a program gives as values, with the rules and defaults of settings in text form. */
import { didYouMean } from './did-you-mean.js';
import { invalid, type Problem } from './problem.js';
import {
  type Config,
  type Environment,
  isComplete,
  type SettingKey,
  settingKeys,
  settings,
} from './schema.js';

/**
 * Adds defaults. Some are derived from the environment if there is one; it is not read for settings.
 *
 * @throws LastcallError CONFIG_INVALID, which names all problems
 */
export function completeConfig(given: Partial<Config>, cwd: string, env: Environment = {}): Config {
  const values: { [K in SettingKey]?: Config[K] } = {};
  const problems = unknownNames(given);
  for (const key of settingKeys) complete(key);
  if (problems.length > 0 || !isComplete(values)) throw invalid(problems);
  return values;

  function complete<K extends SettingKey>(key: K): void {
    const { type, readDefault } = settings[key];
    const value = given[key];
    const parsed = value === undefined ? readDefault(env, cwd).parsed : type.parse(type.print(value), cwd);
    if ('value' in parsed && (value === undefined || typeof parsed.value === typeof value))
      values[key] = parsed.value;
    else problems.push(problemWith(key, value, 'problem' in parsed ? parsed : undefined));
  }
}

function problemWith<K extends SettingKey>(
  key: K,
  value: unknown,
  { problem, holdsSecret }: { readonly problem?: string; readonly holdsSecret?: true } = {},
): Problem {
  const { secret, type } = settings[key];
  const shown =
    secret || holdsSecret
      ? 'cannot be used'
      : `is ${JSON.stringify(typeof value === 'string' ? (type.conceal?.(value) ?? value) : value)}`;
  return { culprit: key, sentence: `${key} ${shown}: ${problem ?? `expected ${type.expects}`}` };
}

function unknownNames(given: object): Problem[] {
  const strangers = Object.keys(given).filter((name) => !Object.hasOwn(settings, name));
  return strangers.map((name) => {
    const meant = didYouMean(name, settingKeys);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    return { culprit: name, sentence: `${name} is not a setting${hint}` };
  });
}
