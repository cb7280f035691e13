/** Tells where the value of a setting came from. */
import { maskTokens } from '../token.js';

/** The source of a value, in order of precedence. `secret-file` is a file that another setting, or systemd, names. */
export type SettingSource =
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'environment' }
  | { readonly kind: 'env-file'; readonly path: string; readonly line?: number }
  | { readonly kind: 'secret-file'; readonly path: string; readonly named: string }
  | { readonly kind: 'default'; readonly from?: string };

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
  }
}
