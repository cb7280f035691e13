/** The page of a sandbox that runs a bot beside it, in a real browser. */
import type { Locator, Page } from 'playwright-core';
import { type Daemon, fixture, spawnDaemon } from './daemon.js';
import { Browser } from './open-browser.js';

interface KnownUpdate {
  readonly id: number;
  readonly kind: string;
  readonly state: string;
  readonly deliveries: readonly { readonly received: boolean }[];
  readonly confirmedBy?: number;
}

export class SandboxPage {
  readonly sandbox: Daemon;
  readonly browser: Browser;
  /** The address of the server. */
  readonly root: string;

  private constructor(sandbox: Daemon, browser: Browser, root: string) {
    this.sandbox = sandbox;
    this.browser = browser;
    this.root = root;
  }

  /** Starts a sandbox with the bot that has something of all that the page shows, and opens the page. */
  static async open(): Promise<SandboxPage> {
    const sandbox = spawnDaemon({ args: ['sandbox', '--port', '0', '--', fixture('bots', 'page.mjs')] });
    const browser = await Browser.start();
    const [, root = ''] = await sandbox.prints(/(http:\/\/127\.0\.0\.1:\d+)\/$/m);
    await browser.page.goto(root);
    return new SandboxPage(sandbox, browser, root);
  }

  get page(): Page {
    return this.browser.page;
  }

  button(name: string, within: Page | Locator = this.page): Locator {
    return within.getByRole('button', { name, exact: true });
  }

  /** Messages with exactly this text. */
  message(text: string): Locator {
    const { page } = this;
    return page.locator('.message', { has: page.locator('.text', { hasText: new RegExp(`^${text}$`) }) });
  }

  ofBot(text: string): Locator {
    return this.message(text).and(this.page.locator('.of-bot'));
  }

  /** Begins the private chat of a new person, and waits until the bot has answered. */
  async begin(): Promise<void> {
    await this.button('Write to the bot as Ada').click();
    await this.button('Start').click();
    await this.ofBot('Welcome!').waitFor();
  }

  async say(text: string): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Message' }).fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** What the server knows of each update, oldest first. */
  async knownUpdates(): Promise<readonly KnownUpdate[]> {
    const response = await fetch(`${this.root}/sandbox/updates`);
    return ((await response.json()) as { readonly updates: readonly KnownUpdate[] }).updates;
  }

  /** Where the page shows each update, and where the server has it. */
  async shownAndKnown() {
    const shown = await this.page.locator('.update').evaluateAll((rows) =>
      rows
        .map((row) => ({
          id: Number(row.querySelector('.id')?.textContent?.slice(1)),
          state: row.getAttribute('data-state'),
          confirmed: row.querySelector('.confirmed .by')?.textContent,
        }))
        .reverse(),
    );
    const known = (await this.knownUpdates()).map(({ id, state, confirmedBy }) => ({
      id,
      state,
      confirmed: confirmedBy === undefined ? '' : `by ${confirmedBy}`,
    }));
    return { shown, known };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser[Symbol.asyncDispose]();
    await this.sandbox[Symbol.asyncDispose]();
  }
}
