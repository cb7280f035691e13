/** Messages that say what has happened in a chat. */
import { type Content, isRecord } from './content.js';

/** The words of a message that says what has happened in the chat; undefined for any other. */
export function serviceText(message: Content): string | undefined {
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
