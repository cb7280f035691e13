/** A folder of its own for a test, with the files it needs; gone when the test has ended. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const repository = join(import.meta.dirname, '..', '..');

export class Folder {
  /** Without symbolic links, as Node's messages name files. */
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'lastcall-test-')));

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [name, content] of Object.entries(files)) this.write(name, content);
  }

  write(name: string, content: string): string {
    const file = this.file(name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  file(...name: string[]): string {
    return join(this.path, ...name);
  }

  /** Lets the files import what the repository has installed. */
  linkPackages(): this {
    symlinkSync(join(repository, 'node_modules'), this.file('node_modules'));
    return this;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
