/** What is shown where there are no messages yet. */
import type { ChatView } from '../page-protocol.js';
import type { Context } from './context.js';
import { h } from './dom.js';

/** Explains the page, and how to begin, where there is no chat yet. */
export function welcome(context: Context): HTMLElement {
  const { store, server } = context;
  const begin = async () => {
    const added = await server.act('person', { name: 'Ada' });
    if (added) context.showChat(Number(added['chat']));
  };
  const isConnected = store.process !== undefined || store.bot?.lastCallAtMs !== undefined;
  return h(
    'div',
    { class: 'welcome' },
    h('h3', {}, 'A place to try your bot'),
    h(
      'p',
      {},
      'Nothing here reaches Telegram. Write as anybody, press the bot’s buttons, cut its network, and see what happens to each update.',
    ),
    ...(isConnected
      ? []
      : [h('p', {}, 'No bot is connected yet. In another terminal:'), h('pre', {}, store.server.connect)]),
    h(
      'button',
      { type: 'button', class: 'primary', on: { click: () => void begin() } },
      'Write to the bot as Ada',
    ),
  );
}

/** The beginning of a chat in which nobody has written. */
export function beginning({ type, title }: ChatView, say: (text: string) => void): HTMLElement {
  const words =
    type === 'private'
      ? `${title} has not written yet. Most bots begin with /start.`
      : 'Nobody has written here yet.';
  return h(
    'div',
    { class: 'welcome' },
    h('p', {}, words),
    h('button', { type: 'button', class: 'primary', on: { click: () => say('/start') } }, 'Start'),
  );
}
