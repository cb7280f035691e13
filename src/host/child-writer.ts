/** Writes a small file by a child process: on a disk that hangs, only that hangs with it. */
import { spawn } from 'node:child_process';

/** As `replaceFile` writes: for the owner only, never through a link, and whole or not at all. */
const script = `umask 077; rm -f "$1.new"; set -C; printf '%s\\n' "$2" > "$1.new" && mv -f "$1.new" "$1"`;

/** Resolves when the line is written, or cannot be, at the latest after `withinMs`. It is not written later than that. */
export async function replaceFileByChild(path: string, line: string, withinMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    // The shell and the commands that it runs are killed as a group.
    const options = { stdio: 'ignore', env: {}, detached: true } as const;
    const child = spawn('/bin/sh', ['-c', script, 'sh', path, line], options);
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      child.unref();
      resolve();
    }, withinMs);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    // Some containers have no shell.
    child.on('error', end).on('exit', end);
  });
}
