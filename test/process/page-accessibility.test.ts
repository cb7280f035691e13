/**
 * The page of the sandbox for people who use a keyboard alone or a screen reader: what Chromium tells assistive technology
 * of it, what is spoken, and where the focus goes.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { CDPSession, Page } from 'playwright-core';
import { noBrowser } from '../support/open-browser.js';
import { SandboxPage } from '../support/sandbox-page.js';

jest.setTimeout(30_000);

let shown: SandboxPage;
let page: Page;
let session: CDPSession;

const inBrowser = noBrowser ? describe.skip : describe;

/** What can be operated. */
const controls = [
  ...['button', 'link', 'textbox', 'combobox', 'checkbox', 'switch', 'tab', 'menuitem', 'slider'],
  ...['spinbutton', 'searchbox', 'radio', 'DisclosureTriangle'],
];
/** What has to be told apart from others of its kind. */
const places = ['navigation', 'complementary', 'region', 'dialog', 'log', 'tabpanel', 'menu', 'article'];

interface Node {
  readonly role: string;
  readonly name: string;
  readonly states: Readonly<Record<string, unknown>>;
}

/** What Chromium tells assistive technology, in the order of the page. */
async function accessibilityTree(): Promise<readonly Node[]> {
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  return nodes
    .filter(({ ignored }) => !ignored)
    .map(({ role, name, properties = [] }) => ({
      role: `${role?.value}`,
      name: `${name?.value ?? ''}`,
      states: Object.fromEntries(properties.map((property) => [property.name, property.value.value])),
    }));
}

async function expectAllNamed(): Promise<void> {
  const tree = await accessibilityTree();
  const unnamed = tree.filter(
    ({ role, name }) => [...controls, ...places].includes(role) && name.trim() === '',
  );
  expect(unnamed).toEqual([]);
}

/** Where the focus is, by the name of the part of the page and that of the element. */
const focused = (): Promise<{ readonly part: string; readonly name: string }> =>
  page.evaluate(`(() => {
    const element = document.activeElement;
    const part = element?.closest('.skip, header, nav, main, aside, [popover], dialog');
    const name = element?.getAttribute('aria-label') ?? element?.textContent ?? '';
    return { part: part?.id || part?.className || part?.tagName || '', name: name.trim() };
  })()`);

async function press(...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Presses Tab until a control with this name has the focus. */
async function tabTo(name: RegExp, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await press(key);
    if (name.test((await focused()).name)) return;
  }
  throw new Error(`Tab does not lead to ${name}; the focus is at ${JSON.stringify(await focused())}`);
}

/** Waits until screen readers have been told a text. */
const spoken = (text: string): Promise<void> =>
  page.locator('[aria-live=polite]', { hasText: text }).waitFor({ state: 'attached' });

inBrowser(`the page of the sandbox, by ear and keyboard${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  beforeAll(async () => {
    shown = await SandboxPage.open();
    ({ page } = shown);
    session = await page.context().newCDPSession(page);
  });

  afterAll(() => shown[Symbol.asyncDispose]());

  it('lets a person begin, write, and hear the answer', async () => {
    await shown.button('Write to the bot as Ada').waitFor();
    await expectAllNamed();
    await tabTo(/^Write to the bot as Ada$/);
    await press('Enter');
    await tabTo(/^Start$/, 'Shift+Tab');
    await press('Enter');
    await spoken('Welcome!');
    await page.getByRole('textbox', { name: 'Message' }).focus();
    await page.keyboard.type('hello');
    await press('Enter');
    await spoken('You said: hello');
  });

  it('has the buttons of the newest message one step before the text, and tells when they are busy', async () => {
    await page.keyboard.type('/order');
    await press('Enter');
    await spoken('What will you have');
    await tabTo(/^Coffee$/, 'Shift+Tab');
    await press('Enter');
    await page.getByRole('status').getByText('One coffee, coming up').waitFor();
    await spoken('Ordered: coffee');
    // The message has been replaced by its newer state, and the person is still there.
    expect((await focused()).name).toMatch(/^Sandbox: Ordered: coffee/);
    await press('ArrowUp');
    expect((await focused()).name).toBe('Ada: /order');
    await press('Home');
    expect((await focused()).name).toBe('Ada: /start');

    await page.getByRole('textbox', { name: 'Message' }).focus();
    await page.keyboard.type('/wait');
    await press('Enter');
    await spoken('Press, and wait');
    await tabTo(/^Wait$/, 'Shift+Tab');
    await press('Enter');
    // Once the bot has heard of it, the message has come again with the news of the press.
    await page.locator('.update[data-state=confirmed]', { hasText: /button pressed.*wait/ }).waitFor();
    const waits = (await accessibilityTree()).find(({ name }) => name === 'Wait');
    expect(waits?.states).toMatchObject({ busy: 1 });
  });

  it('moves within the menu of a message and gives the focus back', async () => {
    await page.getByRole('textbox', { name: 'Message' }).focus();
    await tabTo(/^Reply to, react to or edit/, 'Shift+Tab');
    await press('Enter');
    const menu = page.getByRole('menu', { name: 'Message' });
    await menu.waitFor();
    await expectAllNamed();
    expect((await focused()).name).toBe('👍');
    await press('End', 'ArrowUp');
    expect((await focused()).name).toBe('Reply');
    await press('Escape');
    await menu.waitFor({ state: 'hidden' });
    expect((await focused()).name).toMatch(/^Reply to, react to or edit/);
  });

  it('names everything in each tab and dialog, and tells what is switched on', async () => {
    await shown.say('/poll');
    await page.getByRole('button', { name: 'Tea · 0' }).click();
    await page.getByRole('button', { name: 'Tea · 1' }).waitFor();
    const tea = (await accessibilityTree()).find(({ name }) => name === 'Tea · 1');
    expect(tea?.states).toMatchObject({ pressed: 'true' });

    await page.getByRole('tab', { name: 'Updates' }).focus();
    for (const name of ['Log', 'Network', 'Wire', 'Updates']) {
      await press('ArrowRight');
      const tree = await accessibilityTree();
      expect(tree.find((node) => node.role === 'tab' && node.name === name)?.states).toMatchObject({
        selected: true,
        focused: true,
      });
      await expectAllNamed();
    }
    await press('ArrowRight', 'ArrowRight');
    await tabTo(/^Slow$/);
    await press('Space');
    await page.getByRole('region', { name: 'Faults in force' }).getByText('Slow').waitFor();
    const slow = (await accessibilityTree()).find(({ role, name }) => role === 'switch' && name === 'Slow');
    expect(slow?.states).toMatchObject({ checked: 'true' });
    await press('Space');

    await shown.button('Attach').click();
    await page.getByRole('menuitem', { name: 'Location' }).press('Enter');
    await page.getByRole('dialog', { name: 'Location' }).waitFor();
    await expectAllNamed();
    await press('Escape');
  });

  it('leads Tab once around the page, however many messages there are', async () => {
    const body = JSON.stringify({ chat: 101, text: 'number {n}', count: 20 });
    await fetch(`${shown.root}/sandbox/updates`, { method: 'POST', body });
    await shown.ofBot('You said: number 20').waitFor();
    await page.evaluate('document.body.tabIndex = -1; document.body.focus()');
    const stops: string[] = [];
    for (let presses = 0; presses < 60; presses++) {
      await press('Tab');
      const { part } = await focused();
      if (part === '') break;
      if (stops.at(-1) !== part) stops.push(part);
    }
    expect(stops).toEqual(['skip', 'top', 'chats', 'conversation', 'happens']);
  });
});
