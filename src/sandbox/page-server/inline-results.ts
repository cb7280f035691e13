/** What people do in the bot's inline mode. */
import { askInline, inlineResult, resultContent, tellChosen } from '../inline-mode.js';
import { send } from './messages.js';
import { type Actor, authorOf, reported, type Subject } from './subject.js';

/** Asks the bot. */
export function ask(
  { query, offset, ...actor }: Actor & { readonly query: string; readonly offset: string | undefined },
  { account }: Subject,
): object {
  const fromId = authorOf(account, actor).id;
  const { id, updateId } = askInline(account, { chat: actor.chat, fromId, query, offset });
  return { ...reported(account, 'inline_query', updateId), ...(updateId !== undefined && { query: id }) };
}

/** Sends a result of the bot's answer, and tells the bot which. */
export function choose(
  { query, result: resultId, ...actor }: Actor & { readonly query: string; readonly result: string },
  subject: Subject,
): object {
  const { account } = subject;
  const { chat } = actor;
  const result = inlineResult(account, query, resultId);
  const content = resultContent(account, result);
  const sent = send(subject, actor, { name: `${result['title'] ?? result['type']}`, content });
  tellChosen(account, { chat, query, result: resultId, fromId: authorOf(account, actor).id });
  return sent;
}
