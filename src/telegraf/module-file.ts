/** Finds and runs a file as `node FILE` does. */
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { dirname, extname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';

/** Members of Node's CommonJS loader that its types leave out, but that have been stable for long. */
interface CommonJsLoader {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  /** The modules that have been loaded, by file. */
  readonly _cache: Readonly<Record<string, NodeJS.Module | undefined>>;
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
  return await import(pathToFileURL(path).href);
}

/**
 * Whether Node runs the file as CommonJS. If neither extension nor package.json tell, the file is CommonJS if it parses
 * as that. Otherwise the loader of ES modules gets it, which also reports the errors of a file that is neither.
 */
function isCommonJs(path: string): boolean {
  const extension = extname(path);
  if (['.cjs', '.cts', '.json', '.node'].includes(extension)) return true;
  if (extension !== '.js' && extension !== '') return false;
  const type = nearestPackage(dirname(path))?.type;
  if (type === 'commonjs' || type === 'module') return type === 'commonjs';
  try {
    compileFunction(readFileSync(path, 'utf8'), ['exports', 'require', 'module', '__filename', '__dirname']);
    return true;
  } catch {
    return false;
  }
}

/** The package.json in the folder or in the nearest one above it; undefined if the package has none. */
export function nearestPackage(
  folder: string,
): { readonly name?: unknown; readonly type?: unknown; readonly version?: unknown } | undefined {
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
