/** What a bot may load besides its own module: its project, and the packages that links in node_modules lead to. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, parse, sep } from 'node:path';
import { isObject, parseJson } from '../json.js';
import { isInside } from './hidden-places.js';
import { readText } from './read-text.js';

/** Files that make a folder the root of a workspace, besides a package.json that lists its packages. */
const workspaceFiles = ['pnpm-workspace.yaml', 'lerna.json', 'rush.json'];

/** Returns the real paths of the folders that modules in the folder may be loaded from. One may be in another. */
export function loadedFolders(folder: string): string[] {
  const found = new Set<string>();
  const visited = new Set<string>();
  const visit = (start: string): void => {
    if (visited.has(start)) return;
    visited.add(start);
    found.add(projectAround(start));
    for (const packages of packageFoldersAbove(start)) {
      if (found.has(packages)) continue;
      found.add(packages);
      for (const target of linkedPackages(packages)) if (!isPartOf(target, found)) visit(target);
    }
  };
  visit(folder);
  return [...found];
}

/** Returns the folder and those around it, from the inside outwards, without the root. */
export function foldersAround(folder: string): string[] {
  const found: string[] = [];
  for (let next = folder; next !== parse(next).root; next = dirname(next)) found.push(next);
  return found;
}

/** Returns the workspace or else the package that the folder is part of, or else the folder itself. */
function projectAround(folder: string): string {
  const around = foldersAround(folder);
  const inner = around.findIndex((each) => existsSync(join(each, 'package.json')));
  if (inner < 0) return folder;
  return around.slice(inner).find(isWorkspace) ?? around[inner] ?? folder;
}

function isWorkspace(folder: string): boolean {
  if (workspaceFiles.some((name) => existsSync(join(folder, name)))) return true;
  const manifest = parseJson(readText(join(folder, 'package.json')) ?? '');
  return isObject(manifest) && manifest['workspaces'] !== undefined;
}

/** Returns the folders in which Node looks for the packages that a module of the folder imports. */
const packageFoldersAbove = (folder: string): string[] =>
  foldersAround(folder).flatMap((each) => realFolder(join(each, 'node_modules')));

/** Returns the folders that the links in a node_modules lead to. */
function linkedPackages(packages: string): string[] {
  return entriesOf(packages).flatMap((entry) => {
    const path = join(packages, entry.name);
    if (entry.isSymbolicLink()) return realFolder(path);
    // Packages with a scope are one level deeper. What begins with a dot holds no packages of its own.
    return entry.name.startsWith('@') ? linkedPackages(path) : [];
  });
}

/** Whether the package came with others that are found already, as those in the store of a package manager do. */
const isPartOf = (target: string, found: ReadonlySet<string>): boolean =>
  target.includes(`${sep}node_modules${sep}`) && [...found].some((folder) => isInside(target, folder));

function realFolder(path: string): string[] {
  try {
    const real = realpathSync(path);
    return statSync(real).isDirectory() ? [real] : [];
  } catch {
    return []; // There is none, or the link leads nowhere.
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** A link in a folder, and what it leads to. */
export interface Link {
  readonly path: string;
  readonly target: string;
}

/** What is found by other means: packages and settings, which a bot only reads. */
const readOnlyNames: readonly string[] = ['node_modules', '.env'];

/** Returns the links directly in the folder that lead out of it, with their real targets; none to packages or settings. */
export function linksOutOf(folder: string): Link[] {
  return entriesOf(folder).flatMap((entry) => {
    if (!entry.isSymbolicLink() || readOnlyNames.includes(entry.name)) return [];
    const path = join(folder, entry.name);
    try {
      const target = realpathSync(path);
      return isInside(target, folder) ? [] : [{ path, target }];
    } catch {
      return []; // It leads nowhere.
    }
  });
}
