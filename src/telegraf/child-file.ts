/** Names the file that child processes and worker threads of a program run first. */
import { fileURLToPath } from 'node:url';

/** Bundled on its own, since it may run where nothing else of lastcall can. */
export const childFile = fileURLToPath(new URL('../child.cjs', import.meta.url));
