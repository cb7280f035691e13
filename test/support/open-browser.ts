/** A real browser: the Chromium of this host. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { browser as executable } from './browser.js';

/** Why there are no tests in a browser here; undefined where there is one. */
export const noBrowser = executable ? undefined : 'no Chromium is installed on this host';

/** How long a test waits for something on a page that should come in moments. */
const PATIENCE_MS = 10_000;

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  // A microphone that needs no permission, and hears a beep each second.
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
];

export class Browser {
  readonly page: Page;
  /** What the page has complained about: errors, and what its policy has blocked. */
  readonly complaints: string[] = [];
  /** The addresses of all requests. */
  readonly requests: string[] = [];
  readonly #context: BrowserContext;
  readonly #profile: string;

  private constructor(context: BrowserContext, page: Page, profile: string) {
    this.#context = context;
    this.#profile = profile;
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(`${error}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('request', (request) => this.requests.push(request.url()));
  }

  /** Starts the browser with an empty profile, and opens an empty page. */
  static async start(): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'lastcall-browser-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: executable ?? '',
      args: flags,
      viewport: { width: 1400, height: 900 },
    });
    context.setDefaultTimeout(PATIENCE_MS);
    return new Browser(context, context.pages()[0] ?? (await context.newPage()), profile);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }
}
