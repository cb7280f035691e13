/** Serves the files of the page, which are part of the package. */
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { codeOf } from '../../system-error.js';

/** The page's folder, as seen from this file's folder and from those of the bundles alike. */
const folders = ['../sandbox/page/', '../page/'].map((path) => new URL(path, import.meta.url));

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The page loads nothing from another host, runs no script but its own files, and cannot be framed. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export async function serveStaticFile(pathname: string, response: ServerResponse): Promise<void> {
  const path = pathname === '/' ? '/page/page.html' : pathname;
  const [, name, extension = ''] = /^\/page\/([\w-]+\.(html|css|js|svg))$/.exec(path) ?? [];
  const content = name === undefined ? undefined : await contentOf(name);
  if (!content) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
    response.end('There is no such file. The page is at /.\n');
    return;
  }
  response.writeHead(200, {
    'content-type': types[extension],
    'content-length': content.length,
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'cache-control': 'no-cache',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(content);
}

async function contentOf(name: string): Promise<Buffer | undefined> {
  for (const folder of folders)
    try {
      return await readFile(new URL(name, folder));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  return undefined;
}
