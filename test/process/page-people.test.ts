/** What people do every day besides writing, on the page of the sandbox: polls, inline mode, and what they attach. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { noBrowser } from '../support/open-browser.js';
import { SandboxPage } from '../support/sandbox-page.js';

jest.setTimeout(30_000);

let shown: SandboxPage;
let page: Page;

const inBrowser = noBrowser ? describe.skip : describe;

inBrowser(`a person at the page of the sandbox${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  beforeAll(async () => {
    shown = await SandboxPage.open();
    ({ page } = shown);
    await shown.begin();
  });

  afterAll(() => shown[Symbol.asyncDispose]());

  async function attach(name: string): Promise<void> {
    await shown.button('Attach').click();
    await page.getByRole('menuitem', { name }).click();
  }

  /** Chooses from the menu of the chat. */
  async function choose(name: string): Promise<void> {
    await shown.button('Who is in the chat').click();
    await page.getByRole('menuitem', { name, exact: true }).click();
  }

  it('votes for several options, and takes a vote back', async () => {
    await shown.say('/poll');
    await page.getByRole('button', { name: 'Tea · 0' }).click();
    await shown.ofBot('Chosen: 0').waitFor();
    await page.getByRole('button', { name: 'Coffee · 0' }).click();
    await shown.ofBot('Chosen: 0,1').waitFor();
    await page.getByRole('button', { name: 'Tea · 1', pressed: true }).click();
    await shown.ofBot('Chosen: 1').waitFor();
    await page.getByRole('button', { name: 'Tea · 0', pressed: false }).waitFor();
  });

  it('asks the bot in inline mode, sends a result, and presses the button of what was sent', async () => {
    await attach('Inline query');
    await page.keyboard.type('breakfast');
    await page
      .getByRole('group', { name: 'Results of the bot' })
      .getByText('for breakfast')
      .first()
      .waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const sent = page.locator('.of-person', { hasText: /via @sandbox_/ });
    expect(await sent.locator('.text').textContent()).toBe('Coffee please');
    expect(await sent.locator('strong').textContent()).toBe('Coffee');
    await shown.button('Drink', sent).click();
    await sent.locator('.text', { hasText: /^Drunk$/ }).waitFor();
    const kinds = (await shown.knownUpdates()).map(({ kind }) => kind);
    expect(kinds.slice(-4)).toEqual(['inline_query', 'message', 'chosen_inline_result', 'callback_query']);
  });

  it('sends a voice message that was recorded, or is a file', async () => {
    await attach('Voice message');
    await shown.button('Record').click();
    await shown.button('Stop and send').click();
    await shown.ofBot('Heard \\d+ s').waitFor();
    expect(await page.locator('.of-person audio').last().getAttribute('aria-label')).toBe('Voice message');
  });

  it('sends a sticker, a place and a contact', async () => {
    await attach('Sticker');
    await page.getByRole('menuitem', { name: '😎' }).click();
    await shown.ofBot('Stuck 😎').waitFor();
    await attach('Location');
    const dialog = page.getByRole('dialog', { name: 'Location' });
    await dialog.getByLabel('Latitude').fill('48.2');
    await shown.button('Send', dialog).click();
    await shown.ofBot('Seen 48.2').waitFor();
    await attach('Contact');
    await page.getByRole('dialog').getByLabel('Name').fill('Radia');
    await page.keyboard.press('Enter');
    await shown.ofBot('Met Radia').waitFor();
  });

  it('deletes a message, of which the bot hears nothing', async () => {
    await shown.say('a slip');
    await shown.ofBot('You said: a slip').waitFor();
    const before = (await shown.knownUpdates()).length;
    const slip = shown.message('a slip');
    await slip.hover();
    await shown.button('Reply to, react to or edit the message of Ada', slip).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByText('message deleted').waitFor();
    expect(await slip.count()).toBe(0);
    expect((await shown.knownUpdates()).length).toBe(before);
  });

  it('blocks the bot, and lets it write again', async () => {
    await choose('Block the bot');
    await page.getByText(/^@sandbox_\d+_bot is blocked$/).waitFor();
    await choose('Unblock the bot');
    await page.getByText(/^private chat with @sandbox_\d+_bot$/).waitFor();
    expect((await shown.knownUpdates()).slice(-2).map(({ kind }) => kind)).toEqual([
      'my_chat_member',
      'my_chat_member',
    ]);
  });

  it('leaves a group, and comes back', async () => {
    const add = async (kind: string, name: string) => {
      await shown.button(`Add a ${kind}`).click();
      await page.getByRole('textbox', { name: /of the/ }).fill(name);
      await page.keyboard.press('Enter');
    };
    await add('person', 'Grace');
    await page.getByRole('heading', { name: 'Grace' }).waitFor();
    await add('group', 'Team');
    await page.getByRole('heading', { name: 'Team' }).waitFor();
    await choose('Grace leaves');
    await page.getByText('Grace left', { exact: true }).first().waitFor();
    await choose('Grace joins');
    await page.getByText('Grace joined', { exact: true }).first().waitFor();
  });

  it('had nothing to complain about', () => {
    expect(shown.browser.complaints).toEqual([]);
  });
});
