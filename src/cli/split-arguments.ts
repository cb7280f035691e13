/** Splits arguments at the first `--`. The arguments after it are for the bot program. */
export function splitAtDashes(args: readonly string[]): {
  readonly before: readonly string[];
  readonly after: readonly string[];
} {
  const end = args.indexOf('--');
  return end < 0 ? { before: args, after: [] } : { before: args.slice(0, end), after: args.slice(end + 1) };
}

/** Whether `--help` or `-h` is among the arguments before `--`. */
export const asksForHelp = (args: readonly string[]): boolean =>
  splitAtDashes(args).before.some((argument) => argument === '--help' || argument === '-h');
