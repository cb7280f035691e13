/** Methods that return files. */
import { ApiError } from '../api-response.js';
import { type Methods, method } from './method.js';
import { integer, requiredText, userId } from './parameter.js';

export const fileMethods: Methods = {
  getFile: method({ id: requiredText('file_id', 'file_id not specified') }, ({ id }, { account }) => {
    const known = account.files.find(id);
    if (!known) throw ApiError.badRequest('wrong file_id or the file is temporarily unavailable');
    return { file_id: id, file_unique_id: id, file_size: known.size, file_path: known.path };
  }),
  getUserProfilePhotos: method(
    { user: userId(), offset: integer('offset', 0, 0), limit: integer('limit', 100, 1, 100) },
    () => ({ total_count: 0, photos: [] }),
  ),
  getUserProfileAudios: method(
    { user: userId(), offset: integer('offset', 0, 0), limit: integer('limit', 100, 1, 100) },
    () => ({ total_count: 0, audios: [] }),
  ),
  getUserChatBoosts: method({ user: userId() }, () => ({ boosts: [] })),
};
