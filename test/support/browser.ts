/** Looks at pages in Chromium, where there is one: as pictures, and by what a script in them measures. */
import { execFile } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Picture, readPng } from './png.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const WITHIN_MS = 60_000;

/** The path of the browser; undefined where there is none. */
export const browser: string | undefined = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find(isProgram);

export interface Look {
  readonly file: string;
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

/** What one sees. */
export async function screenshot({
  file,
  scheme = 'light',
  width = 1200,
  height = 900,
}: Look): Promise<Picture> {
  return inFolder(async (folder) => {
    const picture = join(folder, 'picture.png');
    // The number is Blink's: 0 is dark, 1 is light.
    const preferred = `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`;
    await run(folder, [
      preferred,
      `--window-size=${width},${height}`,
      `--screenshot=${picture}`,
      urlOf(file),
    ]);
    return readPng(readFileSync(picture));
  });
}

/**
 * Runs a script in a copy of the page that allows it, and returns what that has come to.
 *
 * @param script an expression, whose value is passed as JSON
 */
export async function measured(file: string, script: string): Promise<unknown> {
  return inFolder(async (folder) => {
    const copy = join(folder, 'copy.html');
    const page = readFileSync(file, 'utf8').replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
    const told = `<script>document.body.replaceChildren(JSON.stringify(${script}))</script>`;
    writeFileSync(copy, `${page}${told}`);
    const dom = await run(folder, ['--window-size=1200,900', '--dump-dom', urlOf(copy)]);
    const [, json = ''] = /<body[^>]*>([\s\S]*)<\/body>/.exec(dom) ?? [];
    return JSON.parse(json.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
  });
}

async function run(folder: string, args: readonly string[]): Promise<string> {
  if (browser === undefined) throw new Error('there is no browser here');
  const quiet = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ...['--hide-scrollbars', `--user-data-dir=${join(folder, 'profile')}`],
  ];
  const options = { timeout: WITHIN_MS, maxBuffer: 50_000_000 };
  return (await promisify(execFile)(browser, [...quiet, ...args], options)).stdout;
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'lastcall-browser-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const urlOf = (file: string): string => pathToFileURL(file).href;

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
