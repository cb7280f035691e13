/** Methods about games. */
import { ApiError } from '../api-response.js';
import { editing, editMessage } from './editing.js';
import { type Methods, method } from './method.js';
import { flag, integer, messageId, requiredText, userId, writableChat } from './parameter.js';
import { post, sending } from './posting.js';

const photo = { file_id: 'sandbox-game', file_unique_id: 'sandbox-game', width: 640, height: 360 };

export const gameMethods: Methods = {
  sendGame: method(
    { name: requiredText('game_short_name', 'parameter "game_short_name" is required'), ...sending },
    ({ name, ...to }, call) =>
      post(call, to.markup ? to : { ...to, markup: playButton(name) }, {
        game: { title: name, description: name, photo: [photo] },
      }),
  ),
  setGameScore: method(
    {
      user: userId(),
      score: integer('score', -1),
      isForced: flag('force'),
      ...editing,
    },
    ({ user, score, isForced, ...target }, call) => {
      if (score < 0) throw ApiError.badRequest('wrong score specified');
      if ('inlineId' in target.target) return editMessage(call, target, { change: (before) => before });
      const { chat, messageId: id } = target.target;
      const { account } = call;
      const message = account.messages.find(chat, id);
      if (!message?.['game']) throw ApiError.badRequest('message with game not found');
      const best = account.gameScores.of(chat, id).find((known) => known.user === user);
      if (best && score <= best.score && !isForced) throw ApiError.badRequest('BOT_SCORE_NOT_MODIFIED');
      account.gameScores.set(chat, id, user, score);
      return message;
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
