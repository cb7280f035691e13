/** Methods that answer what people ask by a button or an inline query. */
import { ApiError } from '../api-response.js';
import type { Query, QueryKind } from '../state/queries.js';
import { type MethodCall, type Methods, method } from './method.js';
import { flag, integer, list, object, requiredText, text } from './parameter.js';

const MAX_TOAST_LENGTH = 200;
const MAX_INLINE_RESULTS = 50;

/** Answers a query. @throws ApiError 400 if it was not waiting */
export function answerQuery(
  { account, call }: MethodCall,
  kind: QueryKind,
  id: string,
  answer: NonNullable<Query['answer']>,
): Query {
  const query = account.queries.answer(kind, id, answer);
  if (!query)
    throw ApiError.badRequest('query is too old and response timeout expired or query ID is invalid');
  account.updates.answered({ updateId: query.updateId }, call);
  return query;
}

export const queryMethods: Methods = {
  answerCallbackQuery: method(
    {
      id: text('callback_query_id'),
      toast: text('text'),
      isAlert: flag('show_alert'),
      url: text('url'),
      cacheSeconds: integer('cache_time', 0, 0),
    },
    ({ id, toast, isAlert, url, cacheSeconds }, call) => {
      if (toast.length > MAX_TOAST_LENGTH) throw ApiError.badRequest('MESSAGE_TOO_LONG');
      answerQuery(call, 'callback_query', id, { text: toast, isAlert, url, cacheSeconds });
      return true;
    },
  ),
  answerInlineQuery: method(
    {
      id: text('inline_query_id'),
      results: list('results', 'inline query results'),
      nextOffset: text('next_offset'),
      isPersonal: flag('is_personal'),
      cacheSeconds: integer('cache_time', 300, 0),
      button: object('button', 'inline query results button'),
    },
    ({ id, results = [], ...rest }, call) => {
      if (results.length > MAX_INLINE_RESULTS)
        throw ApiError.badRequest('too many inline query results specified');
      answerQuery(call, 'inline_query', id, { results, ...rest });
      return true;
    },
  ),
  answerWebAppQuery: method(
    { id: requiredText('web_app_query_id'), result: object('result', 'web view query result') },
    ({ result }, { account }) => {
      if (!result) throw ApiError.badRequest("result isn't specified");
      const inline_message_id = `sandbox-inline-${account.nextId()}`;
      account.inlineMessages.add(inline_message_id);
      return { inline_message_id };
    },
  ),
};
