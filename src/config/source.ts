/** Tells where the value of a setting came from. */
import { maskTokens } from '../token.js';

/**
 * The source of a value. `prefixedName` is the variable's name, where that has the prefix. `secret-file` is a file that
 * another setting, or systemd, names. `container` is one that leaves no other choice.
 */
export type SettingSource =
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'environment'; readonly prefixedName?: string }
  | {
      readonly kind: 'env-file';
      readonly prefixedName?: string;
      readonly path: string;
      readonly line?: number;
    }
  | { readonly kind: 'secret-file'; readonly path: string; readonly named: string }
  | { readonly kind: 'default'; readonly from?: string }
  | { readonly kind: 'container' };

/** Returns a short text for a column: `environment`, `.env:3`, `--poll-timeout`. */
export function sourceInWords(source: SettingSource): string {
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
    case 'container':
      return 'the container, which has no volume there';
  }
}

/** Returns the name by which a setting was set: with the prefix, if it was set so. */
export function nameAsSet(name: string, source: SettingSource): string {
  return 'prefixedName' in source ? (source.prefixedName ?? name) : name;
}

/** Whether a variable without the prefix sets the value, which the bot program may read, too. */
export function isPlainVariable(source: SettingSource): boolean {
  const isVariable = source.kind === 'environment' || source.kind === 'env-file';
  return isVariable && source.prefixedName === undefined;
}
