/** The page of the sandbox, in a real browser: what a person does there, and whether it shows what the server knows. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { png } from '../support/make-png.js';
import { noBrowser } from '../support/open-browser.js';
import { SandboxPage } from '../support/sandbox-page.js';

jest.setTimeout(30_000);

let shown: SandboxPage;
let page: Page;

/** The words at the top for how the bot does. */
const status = (words: string) => page.getByRole('banner').getByText(words, { exact: true });
const newestUpdate = () => page.locator('.update').first();

/** Waits until the page shows each update where the server has it: it is told a moment after the server knows. */
async function expectShownAsKnown(): Promise<void> {
  for (let attempts = 0; attempts < 100; attempts++) {
    const { shown: onPage, known } = await shown.shownAndKnown();
    if (JSON.stringify(onPage) === JSON.stringify(known)) return;
    await page.evaluate('new Promise(requestAnimationFrame)');
  }
  const { shown: onPage, known } = await shown.shownAndKnown();
  expect(onPage).toEqual(known);
}

const inBrowser = noBrowser ? describe.skip : describe;

inBrowser(`the page of the sandbox${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  beforeAll(async () => {
    shown = await SandboxPage.open();
    ({ page } = shown);
  });

  afterAll(() => shown[Symbol.asyncDispose]());

  it('lets a person write, and shows each update from its coming to its answer', async () => {
    await shown.begin();
    await status('Polling').waitFor();
    await shown.say('<img src=x onerror=alert(1)>');
    await shown.ofBot('You said: <img src=x onerror=alert\\(1\\)>').waitFor();
    await shown
      .message('<img src=x onerror=alert\\(1\\)>')
      .getByText(/^confirmed · answered in/)
      .waitFor();
    expect(await newestUpdate().locator('.answered').textContent()).toMatch(/^answered\d+ mssendMessage$/);
    await expectShownAsKnown();
  });

  it('shows buttons that can be pressed, the toast of the answer, and the edit', async () => {
    await shown.button('Commands of the bot').click();
    await page.getByRole('menuitem', { name: '/order' }).click();
    const offer = page.locator('.message', { hasText: 'What will you have' });
    expect(await offer.locator('strong').last().textContent()).toBe('tea');
    await shown.button('Tea', offer).click();
    await page.getByRole('status').getByText('One tea, coming up').waitFor();
    await shown.ofBot('Ordered: tea').waitFor();
    expect(await offer.count()).toBe(0);

    await shown.button('Menu').click();
    await shown.ofBot('You said: Menu').waitFor();
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
    await shown.say('are you there?');
    // The server still answers the poll that was cut, as Telegram does: nobody hears it.
    await shown.message('are you there\\?').getByText('lost on the way').waitFor();
    await status('Cut off').waitFor();
    expect((await shown.knownUpdates()).at(-1)).toMatchObject({
      state: 'delivered',
      deliveries: [{ received: false }],
    });
    await expectShownAsKnown();

    await shown.button('End Down').click();
    await shown.ofBot('You said: are you there\\?').waitFor();
    await shown
      .message('are you there\\?')
      .getByText(/^confirmed/)
      .waitFor();
    expect(await fault.count()).toBe(0);
    await expectShownAsKnown();
  });

  it('kills the bot amid an answer, starts it again, and shows that the answer comes', async () => {
    await shown.say('/hang');
    await page.getByText('Sandbox is typing…').waitFor();
    await shown.button('Kill').click();
    await status('Killed').waitFor();
    await page.getByText(/^by SIGKILL/).waitFor();
    await expectShownAsKnown();

    await shown.button('Start', page.getByRole('banner')).click();
    await shown.ofBot('Back again.').waitFor();
    await status('Polling').waitFor();
    await page.getByText(/restarted 1×/).waitFor();
    await page.getByRole('tab', { name: 'Log' }).click();
    const log = page.getByRole('log', { name: 'Log of the bot' });
    await log.getByText(/^process \d+ has ended by SIGKILL$/).waitFor();
    expect(await log.getByText(/^process \d+ starts: lastcall run /).count()).toBe(2);
    await page.getByRole('tab', { name: 'Updates' }).click();
    await shown
      .message('/hang')
      .getByText(/^confirmed · answered in/)
      .waitFor();
    await expectShownAsKnown();
  });

  it('shows what the bot writes, line by line with its level, and takes none of it for HTML', async () => {
    await page.getByRole('tab', { name: 'Log' }).click();
    await shown.say('/print');
    await shown.say('/fail');
    const log = page.getByRole('log', { name: 'Log of the bot' });
    const line = (words: RegExp) => log.getByRole('listitem').filter({ hasText: words });
    await line(/failed after .*: out of <b>milk<\/b>/).waitFor();
    expect(
      await line(/stdout/)
        .last()
        .locator('.words')
        .textContent(),
    ).toBe('printed');
    expect(
      await line(/stderr/)
        .last()
        .locator('.words')
        .textContent(),
    ).toBe('complained');
    expect(
      await line(/out of <b>milk/)
        .last()
        .getAttribute('data-level'),
    ).toBe('error');
    await page.getByLabel('Level').selectOption('error');
    expect(await line(/Polling/).count()).toBe(0);
    expect(await line(/out of <b>milk/).count()).toBe(1);
    await page.getByLabel('Level').selectOption('all');
    await page.getByRole('tab', { name: 'Updates' }).click();
  });

  it('shows a thousand messages, of which the newest is in view', async () => {
    const body = JSON.stringify({ chat: 101, text: 'number {n}', count: 500 });
    await fetch(`${shown.root}/sandbox/updates`, { method: 'POST', body });
    await expect(shown.ofBot('You said: number 500').waitFor({ timeout: 20_000 })).resolves.toBeUndefined();
    expect(await page.locator('.message').count()).toBeGreaterThan(990);
    await page.waitForFunction(
      '[...document.querySelectorAll(".message")].at(-1).getBoundingClientRect().bottom < innerHeight',
    );
  });

  it('stops with the bot, asked nothing of another host, and had nothing to complain about', async () => {
    expect(
      shown.browser.requests.filter((url) => !url.startsWith(`${shown.root}/`) && !url.startsWith('blob:')),
    ).toEqual([]);
    expect(shown.browser.complaints).toEqual([]);
    expect(await shown.sandbox.stop('SIGINT')).toMatchObject({ code: 0 });
    expect(shown.sandbox.receipt).toMatchObject({ outcome: 'clean' });
    await page.getByText('The sandbox does not answer').waitFor();
  });
});
