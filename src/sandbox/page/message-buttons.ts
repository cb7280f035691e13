/** The inline keyboard of a message. */
import type { MessageView } from '../page-protocol.js';
import { type Content, isRecord } from './content.js';
import { h } from './dom.js';
import { safeUrl } from './rich-text.js';

export interface ButtonListener {
  /** A button is named by its callback data, or by its text. */
  press(message: MessageView, name: string, button: HTMLButtonElement): void;
  /** Begins an inline query, as buttons with `switch_inline_query` do. */
  beginInline(query: string): void;
}

/** What Telegram's apps show below an invoice that has no keyboard of its own. */
const payRow: readonly Content[] = [{ text: 'Pay', pay: true }];

export function inlineKeyboard(view: MessageView, listener: ButtonListener): Node | undefined {
  const { reply_markup: markup, invoice } = view.message;
  const given: unknown = isRecord(markup) ? markup['inline_keyboard'] : undefined;
  const rows = given ?? (isRecord(invoice) ? [payRow] : undefined);
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

function inlineButton(view: MessageView, button: Content, listener: ButtonListener): Node {
  const label = `${button['text']}`;
  const { callback_data: data, pay, callback_game: game, copy_text: copy } = button;
  if (data !== undefined || pay === true || game !== undefined) {
    const press = () => listener.press(view, data === undefined ? label : `${data}`, shown);
    const title = data === undefined ? undefined : `callback_data: ${data}`;
    const shown = h('button', { type: 'button', title, on: { click: press } }, label);
    return shown;
  }
  const href = linkOf(button);
  if (href) return h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, label, ' ↗');
  const act = isRecord(copy)
    ? () => void navigator.clipboard.writeText(`${copy['text']}`)
    : switchOf(button, listener);
  const title = act ? undefined : 'The sandbox has nothing behind this button';
  return h('button', { type: 'button', title, disabled: !act, on: act ? { click: act } : {} }, label);
}

/** The address that a button opens, as far as it is safe to. */
function linkOf({ url, web_app: app, login_url: login }: Content): string | undefined {
  const link = url ?? (isRecord(app) ? app['url'] : isRecord(login) ? login['url'] : undefined);
  return typeof link === 'string' ? safeUrl(link) : undefined;
}

/** What a button does that begins an inline query. */
function switchOf(button: Content, listener: ButtonListener): (() => void) | undefined {
  const query = button['switch_inline_query_current_chat'] ?? button['switch_inline_query'];
  return typeof query === 'string' ? () => listener.beginInline(query) : undefined;
}
