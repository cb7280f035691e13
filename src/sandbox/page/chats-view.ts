/** The list of chats, and the forms that add a person or a group. */

import type { ChatView } from '../page-protocol.js';
import type { Context } from './context.js';
import { h, icon, part, setText } from './dom.js';
import { messageInWords } from './message-words.js';

interface Row {
  readonly element: HTMLLIElement;
  readonly button: HTMLButtonElement;
  readonly title: HTMLElement;
  readonly last: HTMLElement;
}

const NAMES = ['Ada', 'Grace', 'Alan', 'Barbara', 'Edsger', 'Radia', 'Ken', 'Frances'];

export function chatsView(context: Context): void {
  const { store, server } = context;
  const rows = new Map<number, Row>();
  const list = h('ul', { class: 'chat-list' });
  const empty = h('p', { class: 'empty' }, 'Nobody has written to the bot yet.');
  const field = h('input', { type: 'text', maxlength: 64, 'aria-label': 'Name', autocomplete: 'off' });
  const form = h(
    'form',
    { class: 'add', hidden: true },
    field,
    h('button', { type: 'submit', class: 'primary' }, 'Add'),
    h(
      'button',
      { type: 'button', class: 'plain', 'aria-label': 'Cancel', on: { click: () => close() } },
      icon('close'),
    ),
  );
  let adds: 'person' | 'group' = 'person';
  const adder = (kind: 'person' | 'group', label: string) =>
    h(
      'button',
      {
        type: 'button',
        class: 'secondary',
        'aria-label': `Add a ${kind}`,
        title: `Add a ${kind}`,
        on: { click: () => open(kind) },
      },
      icon('plus'),
      label,
    );
  const buttons = h('div', { class: 'adders' }, adder('person', 'Person'), adder('group', 'Group'));

  function open(kind: 'person' | 'group'): void {
    adds = kind;
    const taken = new Set([...store.chats.values()].map(({ title }) => title));
    field.value = kind === 'group' ? 'Team' : (NAMES.find((name) => !taken.has(name)) ?? '');
    field.setAttribute('aria-label', kind === 'group' ? 'Title of the group' : 'Name of the person');
    form.hidden = false;
    buttons.hidden = true;
    field.focus();
    field.select();
  }

  function close(): void {
    form.hidden = true;
    buttons.hidden = false;
  }

  async function add(): Promise<void> {
    const name = field.value.trim();
    if (name === '') return;
    const added = await server.act(adds, adds === 'group' ? { title: name } : { name });
    if (!added) return;
    close();
    context.showChat(Number(added['chat']));
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void add();
  });
  form.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') close();
  });

  function row(chat: ChatView): Row {
    const known = rows.get(chat.id);
    if (known) return known;
    const title = h('span', { class: 'title' });
    const last = h('span', { class: 'last' });
    const button = h(
      'button',
      { type: 'button', class: 'chat', on: { click: () => context.showChat(chat.id) } },
      h(
        'span',
        { class: `avatar tint-${Math.abs(chat.id) % 6}`, 'aria-hidden': 'true' },
        [...chat.title][0] ?? '?',
      ),
      h('span', { class: 'lines' }, title, last),
    );
    const element = h('li', {}, button);
    list.append(element);
    const made = { element, button, title, last };
    rows.set(chat.id, made);
    return made;
  }

  function update(chatIds: Iterable<number>): void {
    for (const id of chatIds) {
      const chat = store.chats.get(id);
      if (!chat) continue;
      const { title, last } = row(chat);
      setText(title, chat.title);
      setText(last, lastWords(context, chat));
    }
    empty.hidden = rows.size > 0;
    markShown();
  }

  function markShown(): void {
    for (const [id, { button }] of rows)
      if (id === context.chat) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
  }

  store.onNews((news, isSnapshot) => {
    if (isSnapshot) {
      rows.clear();
      list.replaceChildren();
      update(store.chats.keys());
      return;
    }
    const changed = new Set([
      ...(news.chats ?? []).map(({ id }) => id),
      ...(news.messages ?? []).map(({ chat }) => chat),
      ...(news.deleted ?? []).map(({ chat }) => chat),
    ]);
    if (changed.size > 0) update(changed);
  });
  context.onChat(markShown);
  part('chats').append(h('h2', {}, 'Chats'), list, empty, buttons, form);
}

/** The newest message of a chat in a line. */
function lastWords({ store }: Context, chat: ChatView): string {
  const last = [...store.messages.values()].findLast((message) => message.chat === chat.id);
  if (!last) return chat.type === 'private' ? 'no message yet' : 'group';
  return messageInWords(last.message);
}
