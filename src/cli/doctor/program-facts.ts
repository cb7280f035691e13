/**
 * Looks at the bot's file and the packages around it. The program is not run: what it does only when it runs, such as building
 * the name of a file that it then loads, is not seen.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import Module from 'node:module';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import { foldersAround } from '../../host/bot-project.js';
import { readText } from '../../host/read-text.js';
import { isObject, parseJson } from '../../json.js';
import { tryOr } from '../../thrown.js';
import { shellWord } from './finding.js';
import { within } from './time-limit.js';

/** A copy of Telegraf. */
interface Copy {
  readonly version: string;
  /** Its folder. */
  readonly folder: string;
}

/** A mistake in a file. */
interface Mistake {
  /** Which it is, and where. */
  readonly text: string;
  /** A command that finds it. */
  readonly command: string;
}

export interface ProgramFacts {
  /** The file as it was named; undefined for the example bot. */
  readonly named: string | undefined;
  /** The file that Node runs; undefined if there is none. */
  readonly file: string | undefined;
  readonly source: string;
  /** The mistake that keeps Node from compiling the file; undefined if it finds none. */
  readonly mistake: Mistake | undefined;
  /** The Telegraf that the file gets by `import`, if any; that of lastcall itself is not meant. */
  readonly telegraf: Copy | undefined;
  /** Every copy in the packages around the file. */
  readonly copies: readonly Copy[];
  readonly runsTypeScript: boolean;
  /** Whether a loader is named in NODE_OPTIONS. */
  readonly hasLoader: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

export async function lookAtProgram(
  named: string | undefined,
  cwd: string,
  env: Environment,
): Promise<ProgramFacts> {
  const runsTypeScript = Boolean(Reflect.get(process.features, 'typescript'));
  const hasLoader = /(--import|--require|--loader|-r)[ =]/.test(env['NODE_OPTIONS'] ?? '');
  const require = Module.createRequire(join(cwd, 'noop.js'));
  const file = named === undefined ? undefined : tryOr(() => require.resolve(resolve(cwd, named)), undefined);
  const base = { named, file, runsTypeScript, hasLoader };
  if (file === undefined) return { ...base, source: '', mistake: undefined, telegraf: undefined, copies: [] };
  const source = readText(file) ?? '';
  return {
    ...base,
    source,
    mistake: /^\.[cm]?js$/.test(extname(file)) ? await mistakeIn(file, source) : undefined,
    telegraf: telegrafOf(file),
    copies: copiesAround(dirname(file)),
  };
}

/**
 * Asks Node, which only compiles the file. In a `.js` file whose package has no `type`, `--check` finds no mistake behind an
 * import or export, so that one that is not CommonJS is compiled as a module as well.
 */
async function mistakeIn(file: string, source: string): Promise<Mistake | undefined> {
  const mayBeModule = extname(file) === '.js' && !isCommonJs(source);
  const [found, inModule] = await Promise.all([
    checkedBy(['--check', file]),
    mayBeModule ? checkedBy(['--input-type=module', '--check', '-'], source) : undefined,
  ]);
  if (found !== undefined) return { text: found, command: `node --check ${shellWord(file)}` };
  if (inModule === undefined) return undefined;
  const command = `node --input-type=module --check - < ${shellWord(file)}`;
  return { text: inModule.replaceAll('[stdin]', file), command };
}

function isCommonJs(source: string): boolean {
  return tryOr(() => {
    // Compiles, and runs nothing. Node leaves out the first line for the shell itself.
    compileFunction(source.replace(/^#!.*/, ''), ['exports', 'require', 'module', '__filename', '__dirname']);
    return true;
  }, false);
}

/** Returns the mistake that Node finds, with its place; undefined if it finds none, or not in time. */
function checkedBy(args: readonly string[], input = ''): Promise<string | undefined> {
  return within<string | undefined>(
    (signal) =>
      new Promise((done) => {
        const child = execFile(process.execPath, args, { signal }, (error, _stdout, stderr) => {
          if (!error || error.code === undefined || signal.aborted) return done(undefined);
          const [place = ''] = stderr.split('\n', 1);
          const message = /^\w*Error: .*$/m.exec(stderr)?.[0] ?? 'it does not compile';
          done(`${message} (${place})`);
        });
        // The process may end before it has read all.
        child.stdin?.on('error', () => {});
        child.stdin?.end(input);
      }),
    undefined,
  );
}

function telegrafOf(file: string): Copy | undefined {
  const main = tryOr(() => Module.createRequire(file).resolve('telegraf'), undefined);
  if (main === undefined) return undefined;
  return foldersAround(dirname(main))
    .map(copyIn)
    .find((copy) => copy !== undefined);
}

function copyIn(folder: string): Copy | undefined {
  const manifest = parseJson(readText(join(folder, 'package.json')) ?? '');
  if (!isObject(manifest) || manifest['name'] !== 'telegraf') return undefined;
  return { version: `${manifest['version']}`, folder };
}

/** The copies in the node_modules around a folder, and in those of the packages there, but not that of lastcall itself. */
function copiesAround(folder: string): readonly Copy[] {
  const copies = new Map<string, Copy>();
  for (const each of foldersAround(folder)) {
    const packages = join(each, 'node_modules');
    for (const name of packagesIn(packages)) {
      const inside = join(packages, name);
      const found = [
        name === 'telegraf' ? inside : '',
        basename(inside) === 'lastcall' ? '' : join(inside, 'node_modules', 'telegraf'),
      ];
      for (const place of found) {
        const copy = place !== '' && existsSync(place) ? copyIn(place) : undefined;
        if (copy) copies.set(place, copy);
      }
    }
  }
  return [...copies.values()];
}

function packagesIn(folder: string): readonly string[] {
  return tryOr(() => readdirSync(folder), []).flatMap((name) =>
    name.startsWith('@')
      ? tryOr(() => readdirSync(join(folder, name)), []).map((inner) => `${name}/${inner}`)
      : name,
  );
}
