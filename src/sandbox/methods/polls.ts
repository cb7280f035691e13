/** Methods about polls. People vote through the control API. */
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { type CallParameters, flag, integer, structure, text } from '../parameters.js';
import type { Poll } from '../state/polls.js';
import type { FormattedText } from '../text/entity.js';
import { formattedText } from '../text/formatted-text.js';
import { type Methods, method } from './method.js';
import { messageId, type Parameter, writableChat } from './parameter.js';
import { post, sending } from './posting.js';
import { ownKeyboard, replyMarkup } from './reply-markup.js';
import { formatted } from './texts.js';

const MAX_QUESTION_LENGTH = 300;
const MAX_OPTION_LENGTH = 100;
const MAX_OPTIONS = 12;

/** A new poll. */
const poll: Parameter<Poll> = {
  names: [
    'question',
    'question_parse_mode',
    'question_entities',
    'options',
    'type',
    'is_anonymous',
    'is_closed',
    'allows_multiple_answers',
    'explanation',
    'explanation_parse_mode',
    'explanation_entities',
    'open_period',
    'close_date',
    'correct_option_ids',
  ],
  read: (given, account) => {
    const question = formatted(given, account, 'question', 'question_entities', 'question_parse_mode');
    if (question.text === '') throw ApiError.badRequest('poll question must be non-empty');
    if (question.text.length > MAX_QUESTION_LENGTH)
      throw ApiError.badRequest(`poll question length must not exceed ${MAX_QUESTION_LENGTH}`);
    const options = optionsOf(given, account);
    const type = text(given, 'type') || 'regular';
    if (type !== 'quiz' && type !== 'regular') throw ApiError.badRequest('unsupported poll type specified');
    const isQuiz = type === 'quiz';
    return {
      id: account.nextId(),
      question: question.text,
      ...entities('question_entities', question),
      options,
      total_voter_count: 0,
      is_closed: flag(given, 'is_closed'),
      is_anonymous: flag(given, 'is_anonymous', true),
      type,
      allows_multiple_answers: flag(given, 'allows_multiple_answers'),
      allows_revoting: !isQuiz,
      members_only: false,
      ...(isQuiz && quizFields(given, account, options.length)),
      ...positive(given, 'open_period'),
      ...positive(given, 'close_date'),
    };
  },
};

function optionsOf(given: CallParameters, account: BotAccount): Poll['options'] {
  const options = structure(given, 'options');
  if (!Array.isArray(options)) throw ApiError.badRequest("can't parse options JSON object");
  if (options.length === 0) throw ApiError.badRequest('poll must have at least 1 option');
  if (options.length > MAX_OPTIONS)
    throw ApiError.badRequest(`poll can't have more than ${MAX_OPTIONS} options`);
  return options.map((option: unknown, index) => {
    const label = isObject(option)
      ? formatted(option, account, 'text', 'text_entities', 'text_parse_mode')
      : formattedText({ text: `${option}`, parseMode: '', entities: undefined }, (id) =>
          account.chats.person(id),
        );
    if (label.text === '') throw ApiError.badRequest('poll options must be non-empty');
    if (label.text.length > MAX_OPTION_LENGTH)
      throw ApiError.badRequest(`poll options length must not exceed ${MAX_OPTION_LENGTH}`);
    return {
      persistent_id: `${index}`,
      text: label.text,
      ...(label.entities.length > 0 && { text_entities: label.entities }),
      voter_count: 0,
    };
  });
}

function quizFields(given: CallParameters, account: BotAccount, optionCount: number): object {
  const several = structure(given, 'correct_option_ids');
  const correct = Array.isArray(several) ? several.map(Number) : [integer(given, 'correct_option_id', -1)];
  if (correct.some((option) => !(option >= 0 && option < optionCount)))
    throw ApiError.badRequest('wrong correct option ID specified');
  const explanation = formatted(
    given,
    account,
    'explanation',
    'explanation_entities',
    'explanation_parse_mode',
  );
  return {
    correct_option_id: correct[0],
    correct_option_ids: correct,
    ...(explanation.text !== '' && {
      explanation: explanation.text,
      ...entities('explanation_entities', explanation),
    }),
  };
}

const entities = (name: string, { entities: found }: FormattedText): object =>
  found.length > 0 ? { [name]: found } : {};

const positive = (given: CallParameters, name: string): object => {
  const value = integer(given, name, 0);
  return value > 0 ? { [name]: value } : {};
};

export const pollMethods: Methods = {
  sendPoll: method({ poll, ...sending }, ({ poll: created, ...to }, call) => {
    const message = post(call, to, { poll: created });
    call.account.polls.add(created, to.chat, message.message_id);
    return message;
  }),
  stopPoll: method(
    { markup: replyMarkup, chat: writableChat(), id: messageId() },
    ({ markup, chat, id }, { account }) => {
      const message = account.messages.find(chat, id);
      if (!message) throw ApiError.badRequest('message with poll to stop not found');
      const shown = isObject(message['poll']) ? account.polls.find(text(message['poll'], 'id')) : undefined;
      if (!shown || message.from?.id !== account.id) throw ApiError.badRequest('message is not a poll');
      if (shown.poll.is_closed) throw ApiError.badRequest('poll has already been closed');
      const keyboard = ownKeyboard(markup);
      const closed = account.polls.close(shown.poll.id) ?? shown.poll;
      const { reply_markup: _former, ...rest } = message;
      account.messages.store({ ...rest, poll: closed, ...keyboard });
      // Bots get the new state of the polls that they have sent.
      account.add([{ poll: closed }]);
      return closed;
    },
  ),
};
