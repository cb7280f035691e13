/** The shell that has started this process and waits for it, in the place where signals arrive. */
import { type ProcessTable, systemTable } from './process-table.js';

const shellCommand = /^-?(?:\S*\/)?(?:sh|ash|bash|dash|ksh|zsh|busybox)(?: |$)/;

/** Whether the parent of this process is a shell. */
export const isUnderShell = (parent: number, processes: ProcessTable = systemTable): boolean =>
  shellCommand.test(processes.commandOf(parent) ?? '');

/** What is wrong with a shell that runs lastcall in a container. */
export const shellWarning =
  'a shell has started the bot and keeps the stop signal of the container from it, so that the bot is killed at the end of the grace: use the exec form, CMD ["node_modules/.bin/lastcall", "run", "bot.js"], and in a script `exec`';
