/** Short notices at the edge of the page, and what only screen readers are told. */
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

/** Has screen readers speak a text. */
export function speak(text: string): void {
  // The same text as before is spoken, too, because it is another element.
  part('spoken').replaceChildren(h('p', {}, text));
}
