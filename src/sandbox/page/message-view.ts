/** One message as a person sees it. */
import type { MessageView } from '../page-protocol.js';
import { type Content, isRecord } from './content.js';
import { h, icon, present } from './dom.js';
import { type ButtonListener, inlineKeyboard } from './message-buttons.js';
import { messageMedia } from './message-media.js';
import { messageText } from './message-text.js';
import { authorOf, isOfBot, messageInWords } from './message-words.js';
import { type PollListener, pollView } from './poll-view.js';
import type { Server } from './server.js';
import { serviceText } from './service-message.js';

export interface MessageListener extends ButtonListener, PollListener {
  say(text: string): void;
  openMenu(message: MessageView, at: HTMLElement): void;
}

/** Makes the inside of a message. The line with its state is left to others. */
export function messageContent(server: Server, view: MessageView, listener: MessageListener): Node[] {
  const { message, reactions } = view;
  const service = serviceText(message);
  if (service !== undefined) return [h('p', { class: 'service' }, service)];
  const { edit_date: edited } = message;
  const name = authorOf(message);
  const more = h(
    'button',
    {
      type: 'button',
      class: 'more',
      'aria-label': `Reply to, react to or edit the message of ${name}`,
      'aria-haspopup': 'menu',
      on: { click: () => listener.openMenu(view, more) },
    },
    icon('more'),
  );
  const bubble = h(
    'div',
    { class: 'bubble' },
    h('p', { class: 'author' }, name, isOfBot(message) && h('span', { class: 'tag' }, 'bot')),
    ...present([quoted(message), forwarded(message), via(message)]),
    ...body(server, view, listener),
    h('p', { class: 'meta' }, edited !== undefined && 'edited ', timeOf(message)),
  );
  return present([
    h('div', { class: 'line' }, bubble, more),
    reactions.length > 0 &&
      h(
        'ul',
        { class: 'reactions', 'aria-label': 'Reactions' },
        ...reactions.map(({ emoji, by }) =>
          h('li', { title: by }, emoji, h('span', { class: 'quiet' }, ` by ${by}`)),
        ),
      ),
    inlineKeyboard(view, listener),
  ]) as Node[];
}

function body(server: Server, view: MessageView, listener: MessageListener): Node[] {
  const { message } = view;
  const say = (text: string) => listener.say(text);
  return present([
    messageMedia(server, message),
    pollView(view, listener),
    messageText(message['text'], message['entities'], say),
    messageText(message['caption'], message['caption_entities'], say),
  ]) as Node[];
}

function quoted({ reply_to_message: original }: Content): Node | undefined {
  if (!isRecord(original)) return undefined;
  const words = messageInWords(original);
  return h('blockquote', { class: 'reply' }, h('strong', {}, authorOf(original)), ` ${words}`);
}

const forwarded = ({ forward_origin: origin }: Content): Node | undefined =>
  isRecord(origin) ? h('p', { class: 'meta' }, 'forwarded') : undefined;

/** Names the bot through whose inline mode a person has sent the message. */
const via = ({ via_bot: bot }: Content): Node | undefined =>
  isRecord(bot) ? h('p', { class: 'meta' }, `via @${bot['username']}`) : undefined;

/** Made once: making it takes longer than showing a message. */
const timeFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function timeOf({ date }: Content): Node | undefined {
  const at = new Date(Number(date) * 1_000);
  if (Number.isNaN(at.getTime())) return undefined;
  return h('time', { datetime: at.toISOString() }, timeFormat.format(at));
}
