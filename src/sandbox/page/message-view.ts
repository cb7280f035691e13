/** One message as a person sees it. */
import type { Context } from './context.js';
import { h, icon, present } from './dom.js';
import type { MessageView } from './protocol.js';
import { type Entity, type Part, partsOf, safeUrl } from './rich-text.js';

export interface MessageListener {
  /** A button is named by its callback data, or by its text. */
  press(message: MessageView, name: string, button: HTMLButtonElement): void;
  vote(message: MessageView, option: number): void;
  say(text: string): void;
  openMenu(message: MessageView, at: HTMLElement): void;
}

type Content = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Content => typeof value === 'object' && value !== null;

/** Makes the inside of a message. The line with its state is left to others. */
export function messageContent(context: Context, view: MessageView, listener: MessageListener): Node[] {
  const { message, reactions } = view;
  const service = serviceText(message);
  if (service !== undefined) return [h('p', { class: 'service' }, service)];
  const { from, edit_date: edited } = message;
  const name = isRecord(from) ? `${from['first_name'] ?? ''}` : '';
  const isBot = isRecord(from) && from['is_bot'] === true;
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
    h('p', { class: 'author' }, name, isBot && h('span', { class: 'tag' }, 'bot')),
    ...present([quoted(message), forwarded(message)]),
    ...body(context, view, listener),
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

function body(context: Context, view: MessageView, listener: MessageListener): Node[] {
  const { message } = view;
  const rich = (text: unknown, entities: unknown) =>
    typeof text === 'string' &&
    text !== '' &&
    h('div', { class: 'text' }, ...nodes(parse(text, entities), listener));
  return present([
    media(context, message),
    pollView(view, listener),
    rich(message['text'], message['entities']),
    rich(message['caption'], message['caption_entities']),
  ]) as Node[];
}

const parse = (text: string, entities: unknown): readonly Part[] =>
  partsOf(text, Array.isArray(entities) ? (entities as readonly Entity[]) : []);

function nodes(parts: readonly Part[], listener: MessageListener): (Node | string)[] {
  return parts.map((piece) => {
    if (typeof piece === 'string') return piece;
    const { entity, text, parts: inner } = piece;
    return element(entity, text, () => nodes(inner, listener), listener);
  });
}

const tags = {
  bold: 'strong',
  italic: 'em',
  underline: 'u',
  strikethrough: 's',
  code: 'code',
  blockquote: 'blockquote',
  expandable_blockquote: 'blockquote',
} as const;

function element(
  { type, url, language }: Entity,
  text: string,
  inner: () => (Node | string)[],
  listener: MessageListener,
): Node | string {
  if (type in tags) return h(tags[type as keyof typeof tags], {}, ...inner());
  switch (type) {
    case 'pre':
      return h('pre', { 'data-language': language }, h('code', {}, ...inner()));
    case 'spoiler': {
      const reveal = () => spoiler.setAttribute('aria-expanded', 'true');
      const spoiler = h(
        'button',
        { type: 'button', class: 'spoiler', 'aria-expanded': 'false', title: 'Show', on: { click: reveal } },
        ...inner(),
      );
      return spoiler;
    }
    case 'url':
    case 'text_link':
    case 'email':
    case 'phone_number': {
      const schemes: Readonly<Record<string, string>> = { email: 'mailto:', phone_number: 'tel:' };
      const href = safeUrl(url ?? `${schemes[type] ?? ''}${text}`);
      if (!href) return h('span', {}, ...inner());
      return h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, ...inner());
    }
    case 'bot_command':
      return h('button', { type: 'button', class: 'link', on: { click: () => listener.say(text) } }, text);
    case 'mention':
    case 'text_mention':
    case 'hashtag':
    case 'cashtag':
      return h('span', { class: 'mention' }, ...inner());
    default:
      return h('span', {}, ...inner());
  }
}

/** What a message shows beside words. */
function media({ server }: Context, message: Content): Node | undefined {
  const fileIn = (field: string): Content | undefined => {
    const value = message[field];
    const file: unknown = Array.isArray(value) ? value.at(-1) : value;
    return isRecord(file) && typeof file['file_id'] === 'string' ? file : undefined;
  };
  const url = (file: Content) => server.fileUrl(`${file['file_id']}`);
  const photo = fileIn('photo');
  if (photo) return image(url(photo), 'Photo', photo);
  const animation = fileIn('animation');
  const video = animation ?? fileIn('video') ?? fileIn('video_note');
  if (video) return h('video', { src: url(video), controls: true, preload: 'none', 'aria-label': 'Video' });
  const audio = fileIn('audio') ?? fileIn('voice');
  if (audio) return h('audio', { src: url(audio), controls: true, preload: 'none', 'aria-label': 'Audio' });
  const document = fileIn('document');
  if (document) {
    const name = `${document['file_name'] ?? 'file'}`;
    return h('a', { class: 'file', href: url(document), download: name }, icon('file'), name);
  }
  return other(message);
}

function image(src: string, alt: string, { width, height }: Content): Node {
  const failed = () =>
    shown.replaceWith(h('p', { class: 'placeholder' }, `${alt}, of which the sandbox has no content`));
  const shown = h('img', { src, alt, width, height, loading: 'lazy', on: { error: failed } });
  return shown;
}

function other({ sticker, location, contact, dice, venue, invoice, game }: Content): Node | undefined {
  if (isRecord(sticker)) return h('p', { class: 'large' }, `${sticker['emoji'] ?? 'Sticker'}`);
  if (isRecord(dice)) return h('p', { class: 'large' }, `${dice['emoji']} ${dice['value']}`);
  if (isRecord(venue)) return h('p', {}, `${venue['title']}, ${venue['address']}`);
  if (isRecord(location)) return h('p', {}, `Location ${location['latitude']}, ${location['longitude']}`);
  if (isRecord(contact)) return h('p', {}, `Contact ${contact['first_name']}, ${contact['phone_number']}`);
  if (isRecord(invoice))
    return h('p', {}, `Invoice: ${invoice['title']}, ${invoice['total_amount']} ${invoice['currency']}`);
  if (isRecord(game)) return h('p', {}, `Game: ${game['title']}`);
  return undefined;
}

/** A poll, in which a press on an option is a vote. */
function pollView(view: MessageView, listener: MessageListener): Node | undefined {
  const poll = view.message['poll'];
  if (!isRecord(poll)) return undefined;
  const options: readonly unknown[] = Array.isArray(poll['options']) ? poll['options'] : [];
  const isClosed = poll['is_closed'] === true;
  const option = (value: unknown, index: number) =>
    isRecord(value) &&
    h(
      'button',
      { type: 'button', disabled: isClosed, on: { click: () => listener.vote(view, index) } },
      `${value['text']} · ${value['voter_count']}`,
    );
  return h(
    'div',
    { class: 'keyboard', role: 'group', 'aria-label': 'Poll' },
    h('p', {}, h('strong', {}, `${poll['question']}`), isClosed && ' (closed)'),
    ...options.map((value, index) => h('div', { class: 'row' }, option(value, index))),
  );
}

function quoted({ reply_to_message: original }: Content): Node | undefined {
  if (!isRecord(original)) return undefined;
  const { text, caption, from } = original;
  const name = isRecord(from) ? `${from['first_name']}` : '';
  return h('blockquote', { class: 'reply' }, h('strong', {}, name), ` ${text ?? caption ?? 'a message'}`);
}

const forwarded = ({ forward_origin: origin }: Content): Node | undefined =>
  isRecord(origin) ? h('p', { class: 'meta' }, 'forwarded') : undefined;

function inlineKeyboard(view: MessageView, listener: MessageListener): Node | undefined {
  const markup = view.message['reply_markup'];
  const rows: unknown = isRecord(markup) ? markup['inline_keyboard'] : undefined;
  if (!Array.isArray(rows)) return undefined;
  const line = (row: unknown) =>
    h(
      'div',
      { class: 'row' },
      ...(Array.isArray(row)
        ? row.filter(isRecord).map((button) => inlineButton(view, button, listener))
        : []),
    );
  return h(
    'div',
    { class: 'keyboard inline', role: 'group', 'aria-label': 'Buttons of the message' },
    ...rows.map(line),
  );
}

function inlineButton(view: MessageView, button: Content, listener: MessageListener): Node {
  const label = `${button['text']}`;
  const { callback_data: data, url, copy_text: copy, web_app: app, pay, callback_game: game } = button;
  if (data !== undefined || pay === true || game !== undefined) {
    const press = () => listener.press(view, data === undefined ? label : `${data}`, shown);
    const shown = h(
      'button',
      {
        type: 'button',
        title: data === undefined ? undefined : `callback_data: ${data}`,
        on: { click: press },
      },
      label,
    );
    return shown;
  }
  const link = url ?? (isRecord(app) ? app['url'] : undefined);
  const href = typeof link === 'string' ? safeUrl(link) : undefined;
  if (href) return h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, label, ' ↗');
  if (isRecord(copy))
    return h(
      'button',
      { type: 'button', on: { click: () => void navigator.clipboard.writeText(`${copy['text']}`) } },
      label,
    );
  return h(
    'button',
    { type: 'button', disabled: true, title: 'The sandbox has nothing behind this button' },
    label,
  );
}

/** Made once: making it takes longer than showing a message. */
const timeFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function timeOf({ date }: Content): Node | undefined {
  const at = new Date(Number(date) * 1_000);
  if (Number.isNaN(at.getTime())) return undefined;
  return h('time', { datetime: at.toISOString() }, timeFormat.format(at));
}

/** The words of a message that says what has happened in the chat; undefined for any other. */
function serviceText(message: Content): string | undefined {
  const {
    pinned_message: pinned,
    new_chat_title: title,
    new_chat_members: joined,
    left_chat_member: left,
  } = message;
  const name = (user: unknown) => (isRecord(user) ? `${user['first_name']}` : 'somebody');
  if (pinned !== undefined) return `${name(message['from'])} pinned a message`;
  if (title !== undefined) return `${name(message['from'])} named the group “${title}”`;
  if (Array.isArray(joined)) return `${joined.map(name).join(', ')} joined`;
  if (left !== undefined) return `${name(left)} left`;
  const known = Object.keys(message).find((field) =>
    /^(new_chat_photo|delete_chat_photo|group_chat_created|successful_payment|forum_topic_|general_forum_topic_)/.test(
      field,
    ),
  );
  return known?.replaceAll('_', ' ');
}
