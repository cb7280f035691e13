/** Warns of variables whose names look like those of settings, and are not. */
import { maskTokens } from '../token.js';
import { didYouMean } from './did-you-mean.js';
import { type Environment, PREFIX, prefixedName, settingKeys, settings } from './schema.js';

const ours = settingKeys.map((key) => settings[key]);
const names = ours.map(({ name }) => name);

/** Warns of names in `.env`. @param file the path of `.env` for people */
export function misspelledInFile(variables: Environment, file: string): string[] {
  const withoutEffect = ours
    .filter(({ notInEnvFile }) => notInEnvFile)
    .flatMap((setting) => [setting.name, prefixedName(setting)])
    .filter((name) => name in variables)
    .map((name) => `${name} has no effect in ${file}: set it in the environment, or as a flag`);
  const misspelled = Object.keys(variables).flatMap((name) => {
    const meant = meantBy(name);
    if (meant === undefined) return [];
    return [`${file} sets ${maskTokens(name)}, which is not a setting; did you mean ${meant}?`];
  });
  return [...withoutEffect, ...misspelled];
}

/** Warns of names in the environment that have the prefix. It has too many others for a guess at them. */
export function misspelledInEnvironment(env: Environment): string[] {
  return Object.keys(env).flatMap((name) => {
    const meant = name.startsWith(PREFIX) ? meantBy(name) : undefined;
    return meant === undefined ? [] : [`${maskTokens(name)} is not a setting; did you mean ${meant}?`];
  });
}

/** Returns the name that is meant by another one; undefined if the other is right, or like none. */
function meantBy(name: string): string | undefined {
  const upper = name.toUpperCase().replace(/[-.]/g, '_');
  const prefix = upper.startsWith(PREFIX) ? PREFIX : '';
  const bare = didYouMean(upper.slice(prefix.length), names);
  const meant = bare && `${prefix}${bare}`;
  return meant === name ? undefined : meant;
}
