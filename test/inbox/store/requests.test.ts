import { describe, expect, it } from '@jest/globals';
import {
  answerPath,
  type InboxRequest,
  parseAnswer,
  Requests,
  requestPath,
} from '../../../src/inbox/store/requests.js';
import { MemoryDisk } from '../log/memory-disk.js';

const folder = '/state/inbox';

function rig() {
  const disk = new MemoryDisk();
  const asked: InboxRequest[] = [];
  const requests = new Requests(disk, folder);
  return {
    disk,
    asked,
    ask: (id: string, text: string) => disk.replace(requestPath(folder, id), text),
    answered: (id: string) => parseAnswer(disk.read(answerPath(folder, id)).toString()),
    round: () => {
      for (const { id, request } of requests.waiting()) {
        asked.push(request);
        requests.answer(id, { done: request.seqs.slice(1), refused: request.seqs.slice(0, 1) });
      }
    },
  };
}

describe('requests', () => {
  it('are answered once, each with a file of its own', () => {
    const { ask, round, answered, asked, disk } = rig();
    ask('a-1', '{"action":"retry","seqs":[1,2,3]}');
    ask('b', '{"action":"drop","seqs":[]}');
    round();
    round();
    expect(asked).toEqual([
      { action: 'retry', seqs: [1, 2, 3] },
      { action: 'drop', seqs: [] },
    ]);
    expect(answered('a-1')).toEqual({ done: [2, 3], refused: [1] });
    expect(disk.paths()).toEqual([answerPath(folder, 'a-1'), answerPath(folder, 'b')]);
  });

  it.each([
    'no JSON',
    'null',
    '{"action":"burn","seqs":[1]}',
    '{"action":"drop","seqs":["1"]}',
    '{"action":"drop"}',
  ])('are removed where they are none: %s', (text) => {
    const { ask, round, asked, disk } = rig();
    ask('a', text);
    round();
    expect(asked).toEqual([]);
    expect(disk.paths()).toEqual([]);
  });

  it('leave other files alone', () => {
    const { round, disk } = rig();
    disk.replace(`${folder}/requests/a.request.json.new`, '{"action":"drop","seqs":[1]}');
    disk.replace(`${folder}/requests/notes`, 'notes');
    round();
    expect(disk.paths()).toHaveLength(2);
  });

  it('that cannot be read do no harm, and keep nobody else from an answer', () => {
    const { ask, round, answered, disk } = rig();
    ask('a', '{"action":"drop","seqs":[1]}');
    ask('b', '{"action":"drop","seqs":[2]}');
    for (const code of ['EACCES', 'ENOENT', 'EISDIR']) {
      disk.fail('read', code, { at: 'a.request' });
      round();
    }
    disk.mend();
    expect(answered('b')).toEqual({ done: [], refused: [2] });
    round();
    expect(answered('a')).toEqual({ done: [], refused: [1] });
  });

  it.each([
    ['replace', 'ENOSPC'],
    ['replace', 'EDQUOT'],
    ['remove', 'EROFS'],
  ] as const)('are carried out once, and answered when that is possible again: %s %s', (operation, code) => {
    const { ask, round, answered, asked, disk } = rig();
    ask('a', '{"action":"drop","seqs":[1]}');
    disk.fail(operation, code, { at: '/requests/' });
    round();
    round();
    disk.mend();
    expect([asked.length, disk.paths().includes(requestPath(folder, 'a'))]).toEqual([1, true]);
    round();
    expect([asked.length, answered('a')]).toEqual([1, { done: [], refused: [1] }]);
    expect(disk.paths()).toEqual([answerPath(folder, 'a')]);
  });

  it('that were withdrawn meanwhile are not answered', () => {
    const { ask, round, disk } = rig();
    ask('a', '{"action":"drop","seqs":[1]}');
    disk.fail('replace', 'ENOSPC');
    round();
    disk.mend();
    disk.remove(requestPath(folder, 'a'));
    round();
    expect(disk.paths()).toEqual([]);
  });
});

it('tells an answer from other text', () => {
  expect(parseAnswer('{"done":[1],"refused":[]}')).toEqual({ done: [1], refused: [] });
  expect(parseAnswer('{"done":[1]}')).toBeUndefined();
  expect(parseAnswer('{"done":[1],')).toBeUndefined();
});
