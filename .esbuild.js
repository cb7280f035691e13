/**
 * Bundles what the compiler has made. The commands that the daemon does not need are bundled apart from it: what they share
 * with it would be in files of their own otherwise, and reading those takes a tenth of its start.
 */
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const commands = [
  'completion',
  'config',
  'demo',
  'doctor',
  'help',
  'history',
  'inbox',
  'log',
  'metrics',
  'probe',
  'sandbox',
  'status',
  'unit',
];

const common = { bundle: true, platform: 'node', outdir: 'dist', allowOverwrite: true, logLevel: 'warning' };
const modules = {
  ...common,
  format: 'esm',
  target: 'node20',
  packages: 'external',
  splitting: true,
  outbase: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
};

/** Leaves the commands where the compiler has put them, beside the folder of the chunks. */
const apart = {
  name: 'commands-apart',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^\\./(${commands.join('|')})\\.js$`) }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path: path.replace('.', '../cli'), external: true } : undefined,
    );
  },
};

await build({ ...modules, entryPoints: ['dist/main.js', 'dist/index.js', 'dist/bot.js'], plugins: [apart] });
await build({ ...modules, entryPoints: commands.map((command) => `dist/cli/${command}.js`) });
await build({
  ...common,
  entryPoints: ['dist/telegraf/takeover/child.js'],
  format: 'cjs',
  target: 'node18',
  outExtension: { '.js': '.cjs' },
});

/**
 * The library for tests comes as CommonJS, too: Jest, as it is set up by default, loads nothing else from a package. Its
 * `import()` becomes `require()` for the same reason.
 */
await build({
  ...common,
  entryPoints: ['dist/sandbox/index.js'],
  outbase: 'dist',
  format: 'cjs',
  target: 'node20',
  packages: 'external',
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  outExtension: { '.js': '.cjs' },
});
await build({ ...modules, entryPoints: ['dist/sandbox/index.js'] });
await declareAsCommonJs('dist/sandbox/index.d.ts');

/** Writes the types of a module, and of all that they name, once more for those who `require` it. */
async function declareAsCommonJs(file, done = new Set()) {
  if (done.has(file)) return;
  done.add(file);
  const types = await readFile(file, 'utf8');
  const relative = /(from |import\()'(\.{1,2}\/[^']+)\.js'/g;
  await writeFile(file.replace(/\.ts$/, '.cts'), types.replaceAll(relative, "$1'$2.cjs'"));
  for (const [, , path] of types.matchAll(relative))
    await declareAsCommonJs(join(file, '..', `${path}.d.ts`), done);
}

/** The page of the sandbox is served as the compiler has made it, with what needs no compiler. */
const page = 'src/sandbox/page';
for (const file of await readdir(page))
  if (/\.(html|css|svg)$/.test(file)) await cp(`${page}/${file}`, `dist/sandbox/page/${file}`);
