/** Dialogs: what a bot wants to be closed by hand, and forms that ask for a few values. */
import { h } from './dom.js';

let lastNumber = 0;

/** Opens a dialog with a title, which is removed when it is closed. */
export function openDialog(title: string, ...content: readonly Node[]): HTMLDialogElement {
  const id = `dialog-${++lastNumber}`;
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': id, on: { close: () => dialog.remove() } },
    h('h2', { id }, title),
    ...content,
  );
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Shows a message until it is closed. */
export function alertBox(title: string, text: string): void {
  const close = h('button', { type: 'submit', class: 'primary' }, 'OK');
  openDialog(title, h('form', { method: 'dialog' }, h('p', {}, text), close));
}

export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly type?: 'text' | 'number' | 'tel';
}

/** Asks for values. `send` is called with them by name, if they are sent. */
export function askFor(
  title: string,
  fields: readonly FormField[],
  send: (values: Readonly<Record<string, string>>) => void,
): void {
  const inputs = fields.map(({ name, label, value, type = 'text' }) => {
    const input = h('input', { type, value, name, step: 'any', required: true, autocomplete: 'off' });
    return { name, input, row: h('label', {}, h('span', {}, label), input) };
  });
  const form = h(
    'form',
    { method: 'dialog' },
    h('div', { class: 'fields' }, ...inputs.map(({ row }) => row)),
    h(
      'div',
      { class: 'buttons' },
      h('button', { type: 'button', class: 'secondary', on: { click: () => dialog.close() } }, 'Cancel'),
      h('button', { type: 'submit', class: 'primary' }, 'Send'),
    ),
  );
  form.addEventListener('submit', () => {
    send(Object.fromEntries(inputs.map(({ name, input }) => [name, input.value])));
  });
  const dialog = openDialog(title, form);
}
