/** `lastcall completion`: prints the code that makes bash or zsh complete commands and flags. */
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { flagOf, settingKeys, settings } from '../config/schema.js';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import type { ProcessContext } from './command.js';
import type { CommandEntry, Commands } from './commands.js';

export async function completion({ args, stdout, commands }: ProcessContext): Promise<number> {
  const given = parseArguments(args, { files: 1 });
  refuseBadArguments(given);
  const [shell] = given.files;
  if (shell !== 'bash' && shell !== 'zsh')
    throw new LastcallError('COMMAND_MISUSED', 'lastcall completion', 'name the shell: bash or zsh');
  stdout.write(shell === 'bash' ? forBash(commands) : forZsh(commands));
  return ExitCode.clean;
}

const settingFlags = settingKeys.flatMap((key) => {
  const flag = flagOf(settings[key]);
  if (flag === undefined) return [];
  return settings[key].type.bareFlag ? [`--${flag}`, `--no-${flag}`] : [`--${flag}`];
});

/** What may follow a command. */
function wordsAfter(entry: CommandEntry, commands: Commands, name: string): string {
  const { words = [], options = {}, takesSettings } = entry;
  const own = Object.keys(options).map((option) => `--${option}`);
  const known = name === 'help' ? [...Object.keys(commands), 'settings'] : words;
  return [...known, ...own, ...(takesSettings ? settingFlags : []), '--help'].join(' ');
}

function forBash(commands: Commands): string {
  const cases = Object.entries(commands).map(
    ([name, entry]) =>
      `    ${name}) words='${wordsAfter(entry, commands, name)}'; files=${entry.takesFile ? 'yes' : ''} ;;`,
  );
  return `# bash completion of lastcall; in ~/.bashrc: source <(lastcall completion bash)
_lastcall() {
  local current=\${COMP_WORDS[COMP_CWORD]} words= files=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${Object.keys(commands).join(' ')}' -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ $files && $current != -* ]]; then compopt -o filenames; COMPREPLY+=($(compgen -f -- "$current")); fi
}
complete -F _lastcall lastcall
`;
}

function forZsh(commands: Commands): string {
  const listed = Object.entries(commands).map(([name, { summary }]) => `    '${name}:${quoted(summary)}'`);
  const cases = Object.entries(commands).map(
    ([name, entry]) =>
      `    ${name}) words=(${wordsAfter(entry, commands, name)}); files=${entry.takesFile ? 'yes' : ''} ;;`,
  );
  return `#compdef lastcall
# zsh completion of lastcall; in ~/.zshrc, after compinit: source <(lastcall completion zsh)
_lastcall() {
  local -a commands words_after
  local files= command=\${words[2]}
  commands=(
${listed.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  case $command in
${cases.join('\n').replaceAll('words=(', 'words_after=(')}
  esac
  compadd -- $words_after
  if [[ -n $files ]]; then _files; fi
}
compdef _lastcall lastcall
`;
}

const quoted = (text: string): string => text.replaceAll("'", `'\\''`).replaceAll(':', '\\:');
