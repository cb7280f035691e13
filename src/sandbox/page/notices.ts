/** Short notices at the edge of the page, and messages that a bot wants to be closed by hand. */
import { h, part } from './dom.js';

const SHOWN_MS = 5_000;
const MAX_NOTICES = 4;

/** Shows a notice for a few seconds. Screen readers speak it. */
export function notice(text: string, tone: 'plain' | 'bad' = 'plain'): void {
  const shown = h('p', { class: `notice ${tone}` }, text);
  const list = part('notices');
  list.append(shown);
  while (list.childElementCount > MAX_NOTICES) list.firstElementChild?.remove();
  setTimeout(() => shown.remove(), SHOWN_MS);
}

/** Shows a message until it is closed. */
export function alertBox(title: string, text: string): void {
  const close = h('button', { type: 'submit', class: 'primary' }, 'OK');
  const dialog = h(
    'dialog',
    { class: 'alert', on: { close: () => dialog.remove() } },
    h('form', { method: 'dialog' }, h('h2', {}, title), h('p', {}, text), close),
  );
  document.body.append(dialog);
  dialog.showModal();
}

/** Has screen readers speak a text. */
export function speak(text: string): void {
  part('spoken').textContent = text;
}
