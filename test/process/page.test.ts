/** The page of the sandbox, in a real browser: what a person does there, and whether it shows what the server knows. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { type Daemon, fixture, spawnDaemon } from '../support/daemon.js';
import { png } from '../support/make-png.js';
import { Browser, noBrowser } from '../support/open-browser.js';

jest.setTimeout(30_000);

let sandbox: Daemon;
let browser: Browser;
let page: Page;
let root: string;

const button = (name: string, within: Page | Locator = page) =>
  within.getByRole('button', { name, exact: true });
/** Messages with exactly this text. */
const message = (text: string) =>
  page.locator('.message', { has: page.locator('.text', { hasText: new RegExp(`^${text}$`) }) });
const ofBot = (text: string) => message(text).and(page.locator('.of-bot'));
const newestUpdate = () => page.locator('.update').first();

async function say(text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
}

interface KnownUpdate {
  readonly id: number;
  readonly state: string;
  readonly deliveries: readonly { readonly received: boolean }[];
  readonly confirmedBy?: number;
}

/** What the server knows of each update, oldest first. */
async function knownUpdates(): Promise<readonly KnownUpdate[]> {
  const response = await fetch(`${root}/sandbox/updates`);
  return ((await response.json()) as { readonly updates: readonly KnownUpdate[] }).updates;
}

/** Where the page shows each update, and where the server has it. */
async function shownAndKnown() {
  const shown = await page.locator('.update').evaluateAll((rows) =>
    rows
      .map((row) => ({
        id: Number(row.querySelector('.id')?.textContent?.slice(1)),
        state: row.getAttribute('data-state'),
        confirmed: row.querySelector('.confirmed .by')?.textContent,
      }))
      .reverse(),
  );
  const known = (await knownUpdates()).map(({ id, state, confirmedBy }) => ({
    id,
    state,
    confirmed: confirmedBy === undefined ? '' : `by ${confirmedBy}`,
  }));
  return { shown, known };
}

/** Waits until the page shows each update where the server has it: it is told a moment after the server knows. */
async function expectShownAsKnown(): Promise<void> {
  for (let attempts = 0; attempts < 100; attempts++) {
    const { shown, known } = await shownAndKnown();
    if (JSON.stringify(shown) === JSON.stringify(known)) return;
    await page.evaluate('new Promise(requestAnimationFrame)');
  }
  const { shown, known } = await shownAndKnown();
  expect(shown).toEqual(known);
}

const inBrowser = noBrowser ? describe.skip : describe;

inBrowser(`the page of the sandbox${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  beforeAll(async () => {
    sandbox = spawnDaemon({ args: ['sandbox', '--port', '0', '--', fixture('bots', 'page.mjs')] });
    browser = await Browser.start();
    ({ page } = browser);
    [, root = ''] = await sandbox.prints(/(http:\/\/127\.0\.0\.1:\d+)\/$/m);
    await page.goto(root);
  });

  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  it('lets a person write, and shows each update from its coming to its answer', async () => {
    await button('Write to the bot as Ada').click();
    await button('Start').click();
    await ofBot('Welcome!').waitFor();
    await page.getByText('Polling', { exact: true }).waitFor();
    await say('<img src=x onerror=alert(1)>');
    await ofBot('You said: <img src=x onerror=alert\\(1\\)>').waitFor();
    await message('<img src=x onerror=alert\\(1\\)>')
      .getByText(/^confirmed · answered in/)
      .waitFor();
    expect(await newestUpdate().locator('.answered').textContent()).toMatch(/^answered\d+ mssendMessage$/);
    await expectShownAsKnown();
  });

  it('shows buttons that can be pressed, the toast of the answer, and the edit', async () => {
    await button('Commands of the bot').click();
    await page.getByRole('menuitem', { name: '/order' }).click();
    const offer = page.locator('.message', { hasText: 'What will you have' });
    expect(await offer.locator('strong').last().textContent()).toBe('tea');
    await button('Tea', offer).click();
    await page.getByRole('status').getByText('One tea, coming up').waitFor();
    await ofBot('Ordered: tea').waitFor();
    expect(await offer.count()).toBe(0);

    await button('Menu').click();
    await ofBot('You said: Menu').waitFor();
    expect(await newestUpdate().textContent()).toContain('Menu');
    await expectShownAsKnown();
  });

  it('sends a photo, and shows the one that comes back, with the reaction to it', async () => {
    await page.setInputFiles('input[type=file]', {
      name: 'sky.png',
      mimeType: 'image/png',
      buffer: png(60, 40),
    });
    const answer = page.locator('.of-bot', { hasText: 'Your photo' });
    await answer.waitFor();
    await page.waitForFunction('[...document.images].every((image) => image.naturalWidth === 60)');
    expect(await page.locator('.of-person').last().getByRole('listitem').textContent()).toContain('👍');
  });

  it('cuts the network, shows what waits meanwhile, and brings it back', async () => {
    await page.getByRole('tab', { name: 'Network' }).click();
    await page.getByText(/^poll \d+ waits/).waitFor();
    await page.getByRole('switch', { name: 'Down' }).click();
    const fault = page.getByRole('region', { name: 'Faults in force' }).getByText(/calls? hit/);
    await fault.waitFor();
    await page.getByRole('tab', { name: 'Updates' }).click();
    await say('are you there?');
    // The server still answers the poll that was cut, as Telegram does: nobody hears it.
    await message('are you there\\?').getByText('lost on the way').waitFor();
    await page.getByText('Cut off', { exact: true }).waitFor();
    expect((await knownUpdates()).at(-1)).toMatchObject({
      state: 'delivered',
      deliveries: [{ received: false }],
    });
    await expectShownAsKnown();

    await button('End Down').click();
    await ofBot('You said: are you there\\?').waitFor();
    await message('are you there\\?')
      .getByText(/^confirmed/)
      .waitFor();
    expect(await fault.count()).toBe(0);
    await expectShownAsKnown();
  });

  it('kills the bot amid an answer, starts it again, and shows that the answer comes', async () => {
    await say('/hang');
    await page.getByText('Sandbox is typing…').waitFor();
    await button('Kill').click();
    await page.getByText('Killed', { exact: true }).waitFor();
    await page.getByText(/^by SIGKILL/).waitFor();
    await expectShownAsKnown();

    await button('Start', page.getByRole('banner')).click();
    await ofBot('Back again.').waitFor();
    await page.getByText('Polling', { exact: true }).waitFor();
    await page.getByText(/restarted 1×/).waitFor();
    await message('/hang')
      .getByText(/^confirmed · answered in/)
      .waitFor();
    await expectShownAsKnown();
  });

  it('shows a thousand messages, of which the newest is in view', async () => {
    const body = JSON.stringify({ chat: 101, text: 'number {n}', count: 500 });
    await fetch(`${root}/sandbox/updates`, { method: 'POST', body });
    await expect(ofBot('You said: number 500').waitFor({ timeout: 20_000 })).resolves.toBeUndefined();
    expect(await page.locator('.message').count()).toBeGreaterThan(990);
    await page.waitForFunction(
      '[...document.querySelectorAll(".message")].at(-1).getBoundingClientRect().bottom < innerHeight',
    );
  });

  it('stops with the bot, asked nothing of another host, and had nothing to complain about', async () => {
    expect(browser.requests.filter((url) => !url.startsWith(`${root}/`) && !url.startsWith('blob:'))).toEqual(
      [],
    );
    expect(browser.complaints).toEqual([]);
    expect(await sandbox.stop('SIGINT')).toMatchObject({ code: 0 });
    expect(sandbox.receipt).toMatchObject({ outcome: 'clean' });
    await page.getByText('The sandbox does not answer').waitFor();
  });
});
