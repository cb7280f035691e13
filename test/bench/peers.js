/** Who is compared, as data: each runs the same bots, written for its framework. */
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const programs = join(root, 'test', 'fixtures', 'bench');

/** What stands before the program's file on the command line of node, where lastcall runs it. */
const lastcall = [join(root, 'dist', 'main.js'), 'run'];

/** `keepsState`: it is given a folder of its own. */
const all = {
  lastcall: { command: lastcall, framework: 'telegraf', keepsState: true, env: {} },
  'durable:process': {
    command: lastcall,
    framework: 'telegraf',
    keepsState: true,
    env: { DURABILITY: 'process' },
  },
  'inbox:memory': { command: lastcall, framework: 'telegraf', keepsState: true, env: { INBOX: 'memory' } },
  telegraf: { command: [], framework: 'telegraf', keepsState: false, env: {} },
  'grammY+runner': { command: [], framework: 'grammy', keepsState: false, env: {} },
};

export const peerNames = Object.keys(all);

/** Those that are not lastcall. */
export const otherNames = peerNames.filter((name) => !all[name].keepsState);

/** One of each program there is to start; how lastcall keeps its updates makes no difference worth a column. */
export const programNames = ['lastcall', ...otherNames];

/** How to start a bot (`answers.mjs`) under a peer. */
export function peerNamed(name, bot) {
  const { command, framework, keepsState, env } = all[name];
  return { command: [...command, join(programs, framework, bot)], keepsState, env };
}
