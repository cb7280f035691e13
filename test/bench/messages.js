/** Updates for a backlog. */

/** So many texts, one chat after the other. */
export function* messages(count, chats) {
  for (let number = 1; number <= count; number++) {
    const chat = { id: (number % chats) + 1, type: 'private', first_name: 'Ada' };
    const from = { id: chat.id, is_bot: false, first_name: 'Ada' };
    yield { message: { message_id: number, date: 0, chat, from, text: `line ${number}` } };
  }
}

/** As many as Telegram gives at once. */
export const BATCH = 100;
