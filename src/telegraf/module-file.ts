/** Finds and runs a file as `node FILE` does. */
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { dirname, extname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';

/** Members of Node's CommonJS loader that its types leave out, but that have been stable for long. */
interface CommonJsLoader {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  /** What reads and runs a file, by its extension. */
  readonly _extensions: Readonly<Record<string, unknown>>;
  /** The modules that have been loaded, by file. */
  readonly _cache: Readonly<Record<string, NodeJS.Module | undefined>>;
  /** The class of the modules. `load` runs a file that is not loaded yet. */
  readonly prototype: { load(filename: string): void };
}

export const commonJsLoader = Module as unknown as CommonJsLoader;

/** Resolves a file (with or without extension) or a folder as `node` does; undefined if there is none. */
export function findModule(file: string): string | undefined {
  try {
    return Module.createRequire(join(process.cwd(), 'noop.js')).resolve(resolve(file));
  } catch {
    return undefined;
  }
}

/** Runs the file as the program's main module; resolves with what it exports, rejects with what it throws. */
export async function runModule(path: string): Promise<unknown> {
  if (isCommonJs(path)) return commonJsLoader._load(path, null, true);
  const url = pathToFileURL(path).href;
  const undo = markMain(url, path);
  try {
    return await import(url);
  } finally {
    undo();
  }
}

/**
 * Whether Node, with the loaders that it was started with, runs the file as CommonJS. If neither extension nor package.json
 * tell, JavaScript is CommonJS if it parses as that. Otherwise the loader of ES modules gets it, which also reports the
 * errors of a file that is neither.
 */
function isCommonJs(path: string): boolean {
  const extension = extname(path);
  if (['.cjs', '.json', '.node'].includes(extension)) return true;
  if (extension === '.cts') return runsTypeScript() || hasRequireHook('.ts');
  const mayBeTranspiled = ['.ts', '.tsx', '.jsx'].includes(extension);
  const isTranspiled = mayBeTranspiled && hasRequireHook(extension);
  const isStripped = extension === '.ts' && !isTranspiled && runsTypeScript();
  if (!isTranspiled && !isStripped && extension !== '.js' && extension !== '') return false;
  const type = nearestPackage(dirname(path))?.type;
  if (type === 'commonjs' || type === 'module') return type === 'commonjs';
  // ts-node, tsx and their like make CommonJS of it.
  if (isTranspiled) return true;
  try {
    const source = readFileSync(path, 'utf8');
    const script = isStripped ? withoutTypes(source) : source;
    compileFunction(script, ['exports', 'require', 'module', '__filename', '__dirname']);
    return true;
  } catch {
    return false;
  }
}

/** Whether a loader has been installed for `require` of such files, by `-r ts-node/register`, `--import tsx` and the like. */
const hasRequireHook = (extension: string): boolean => extension in commonJsLoader._extensions;

/** Whether Node itself runs TypeScript, by leaving the types out, as 22.18 and later do. */
const runsTypeScript = (): boolean => Boolean(Reflect.get(process.features, 'typescript'));

/** The source as Node itself compiles it. Throws if it holds more than types to leave out. */
function withoutTypes(source: string): string {
  const { emitWarning } = process;
  // The function is called experimental, which is no news for whoever runs the file.
  process.emitWarning = () => {};
  try {
    return String(Reflect.apply(Reflect.get(Module, 'stripTypeScriptTypes'), Module, [source]));
  } finally {
    process.emitWarning = emitWarning;
  }
}

type Load = (url: string, context: unknown) => { readonly format?: unknown; readonly source?: unknown };

/**
 * Lets an ES module find itself as the main one. Node says so to none that is imported, so `import.meta.main`, which Nodes
 * without this function do not have, is set by the module's first statement.
 *
 * @returns a function that undoes it
 */
function markMain(url: string, path: string): () => void {
  const registerHooks: unknown = Reflect.get(Module, 'registerHooks');
  if (typeof registerHooks !== 'function' || !readFileSync(path, 'utf8').includes('import.meta'))
    return () => {};
  const load = (loaded: string, context: unknown, next: Load) => {
    const result = next(loaded, context);
    const isMain = loaded === url && String(result.format).startsWith('module');
    return isMain ? { ...result, source: withMainMark(String(result.source)) } : result;
  };
  const hooks: { deregister(): void } = Reflect.apply(registerHooks, Module, [{ load }]);
  return () => hooks.deregister();
}

/** On the first line, so that the others keep their numbers. */
const withMainMark = (source: string): string => source.replace(/^(#!.*\n)?/, '$1import.meta.main = true; ');

/** The package.json in the folder or in the nearest one above it; undefined if the package has none. */
export function nearestPackage(
  folder: string,
): { readonly name?: unknown; readonly version?: unknown; readonly type?: unknown } | undefined {
  if (folder.endsWith(`${sep}node_modules`)) return undefined;
  let text: string;
  try {
    text = readFileSync(join(folder, 'package.json'), 'utf8');
  } catch {
    const parent = dirname(folder);
    return parent === folder ? undefined : nearestPackage(parent);
  }
  return JSON.parse(text);
}
