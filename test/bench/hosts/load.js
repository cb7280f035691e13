/** Updates as Telegram sends them, of about 1 kB. */

/** Beside the text, an update has some 300 bytes. */
const TEXT = 'x'.repeat(700);

/** So many updates, with ids from `from` on, one chat after the other. */
export function updatesOf({ from, count, chats, fetchedAtMs }) {
  return Array.from({ length: count }, (_, index) => {
    const id = from + index;
    const chat = { id: (id % chats) + 1, type: 'private', first_name: 'Ada', username: 'ada_of_the_bench' };
    const sender = { id: chat.id, is_bot: false, first_name: 'Ada', language_code: 'en' };
    const message = { message_id: id, date: 1_700_000_000, chat, from: sender, text: `${id} ${TEXT}` };
    return { update_id: id, message: fetchedAtMs === undefined ? message : { ...message, fetchedAtMs } };
  });
}
