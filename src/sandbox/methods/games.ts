/** Methods about games. */
import { ApiError } from '../api-response.js';
import { unixSeconds } from '../message.js';
import { target } from './editing.js';
import { type Methods, method } from './method.js';
import { flag, integer, messageId, requiredText, userId, writableChat } from './parameter.js';
import { post, sending } from './posting.js';

/** What the sandbox shows of every game. */
const photo = { file_id: 'sandbox-game', file_unique_id: 'sandbox-game', width: 640, height: 360 };
const animation = { ...photo, duration: 1 };

export const gameMethods: Methods = {
  sendGame: method(
    { name: requiredText('game_short_name', 'parameter "game_short_name" is required'), ...sending },
    ({ name, ...to }, call) =>
      post(call, to.markup ? to : { ...to, markup: playButton(name) }, {
        game: { title: name, description: name, photo: [photo], text: name, text_entities: [], animation },
      }),
  ),
  setGameScore: method(
    {
      user: userId(),
      score: integer('score', -1),
      isForced: flag('force'),
      target,
    },
    ({ user, score, isForced, target: named }, { account }) => {
      if (score < 0) throw ApiError.badRequest('parameter "score" is required');
      if ('inlineId' in named) return true;
      const { chat, messageId: id } = named;
      const message = account.messages.find(chat, id);
      if (!message?.['game']) throw ApiError.badRequest('message to set game score not found');
      const best = account.gameScores.of(chat, id).find((known) => known.user === user);
      if (best && score <= best.score && !isForced) throw ApiError.badRequest('BOT_SCORE_NOT_MODIFIED');
      account.gameScores.set(chat, id, user, score);
      // The message then shows the best scores, and so it counts as edited.
      const edited = { ...message, edit_date: unixSeconds() };
      account.messages.store(edited);
      return edited;
    },
  ),
  getGameHighScores: method(
    { user: userId(), chat: writableChat(), id: messageId() },
    ({ chat, id }, { account }) =>
      account.gameScores.of(chat, id).map((entry, index) => ({
        position: index + 1,
        user: account.chats.person(entry.user),
        score: entry.score,
      })),
  ),
};

/** The button that a game has if its message gives none. */
const playButton = (name: string) =>
  ({
    kind: 'inline',
    markup: { inline_keyboard: [[{ text: `Play ${name}`, callback_game: {} }]] },
  }) as const;
