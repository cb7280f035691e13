/**
 * Keeps an inbox of each format that was ever released. The texts are written out, and not made by the encoders: what is
 * on disks somewhere does not change with this version.
 */
import { describe, expect, it } from '@jest/globals';
import { seq } from '../../../src/inbox/ids.js';
import { encodeFrame, frameAt } from '../../../src/inbox/log/frame.js';
import { position } from '../../../src/inbox/log/position.js';
import { decodeHeader } from '../../../src/inbox/store/record-codec.js';
import { FORMAT } from '../../../src/inbox/store/records.js';
import { historyWith } from '../../support/history.js';
import { MemoryDisk } from '../log/memory-disk.js';
import { bot, contents, folder, open, updates } from './store-rig.js';

interface Row {
  readonly kind: number;
  /** The payload, or the index in front of the content. */
  readonly text: string;
  readonly content?: string;
}

type Files = Readonly<Record<string, readonly Row[]>>;

const updatesText = (rows: string, marks: string) =>
  `{"atMs":1700000000000,"passed":1000,"seqs":[1,4],"ids":[1001,4],"places":[0,4],"rows":${rows},"marks":${marks}}`;
const letterText =
  '{"seq":9,"updateId":1009,"key":"chat:9","kind":"message","why":"failed","attempts":1,"atMs":1700000000000,"error":"Error: no"}';
const answer = '{"ok":true,"result":["one","two","three","four"]}';

/** By format: four updates, of which the second is settled, the third was begun, and one has died. */
const kept: Readonly<Record<number, Files>> = {
  2: {
    'log/0000000000000000.log': [
      { kind: 1, text: `{"format":2,"bot":"${bot}","run":"a run","nextSeq":1,"recent":[]}` },
      { kind: 2, text: updatesText('[]', '[[],[],[]]'), content: answer },
      { kind: 3, text: '[[2,2],[],[]]' },
      { kind: 3, text: '[[],[2,1],[]]' },
    ],
    'dead-letters.log': [
      { kind: 4, text: letterText, content: '"nine"' },
      { kind: 4, text: letterText.replace('"seq":9', '"seq":8'), content: '"eight"' },
      { kind: 5, text: '8' },
    ],
  },
  3: {
    'log/0000000000000000.log': [
      { kind: 1, text: `{"format":3,"bot":"${bot}","run":"a run","nextSeq":1,"recent":[]}` },
      { kind: 2, text: updatesText('[]', '[[],[],[]]'), content: answer },
      { kind: 3, text: '[[2,2],[],[]]' },
      { kind: 3, text: '[[],[2,1],[]]' },
    ],
    'dead-letters/0000000000000000.log': [
      { kind: 1, text: '' },
      { kind: 4, text: letterText, content: '"nine"' },
      { kind: 4, text: letterText.replace('"seq":9', '"seq":8'), content: '"eight"' },
      { kind: 5, text: '[8,1]' },
    ],
  },
};

function payloadOf({ text, content }: Row): readonly Buffer[] {
  if (content === undefined) return [Buffer.from(text)];
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(text));
  return [length, Buffer.from(text), Buffer.from(content)];
}

function diskWith(files: Files): MemoryDisk {
  const disk = new MemoryDisk();
  for (const [name, rows] of Object.entries(files)) {
    const file = disk.create(`${folder}/${name}`);
    let end = position(0);
    for (const row of rows) {
      const frame = encodeFrame(row.kind, end, payloadOf(row));
      file.append(frame);
      end = position(end + frame.length);
    }
  }
  return disk;
}

/** The formats of all segments of the log. */
const formatsOn = (disk: MemoryDisk) =>
  disk.list(`${folder}/log`).map((name) => {
    const frame = frameAt(disk.read(`${folder}/log/${name}`), 0);
    return frame && decodeHeader(frame.payload).format;
  });

it('keeps an inbox of each format', () => {
  expect(Object.keys(kept).map(Number)).toEqual(Array.from({ length: FORMAT - 1 }, (_, index) => index + 2));
});

describe.each(Object.entries(kept))('an inbox of format %s', (_format, files) => {
  it('is read whole', async () => {
    const store = await open({ disk: diskWith(files) });
    expect(store.damage).toEqual([]);
    expect(contents(store)).toEqual(['1 1001 one', '3 1003 three', '4 1004 four']);
    expect(store.ledger.historyOf(seq(3))).toEqual(historyWith({ attempts: 1, deaths: 1, begun: false }));
    expect(store.ledger.historyOf(seq(4))).toEqual(historyWith({ attempts: 0, begun: false }));
    expect(store.deadLetters.list()).toMatchObject([
      { seq: 9, updateId: 1009, key: 'chat:9', why: 'failed' },
    ]);
    expect(store.deadLetters.content(seq(9))?.toString()).toBe('"nine"');
    expect(store.ledger.nextSeq).toBe(10);
  });

  it('is brought up to date once something is written', async () => {
    const disk = diskWith(files);
    const store = await open({ disk });
    const before = contents(store);
    store.append(updates(2000), undefined);
    for (let round = 0; round < 3; round++) await store.compact();
    if (files !== kept[FORMAT]) expect(disk.list(`${folder}/log`)).not.toContain('0000000000000000.log');
    expect(new Set(formatsOn(disk))).toEqual(new Set([FORMAT]));
    await store.commit();
    disk.cutPower(() => 0);
    const after = await open({ disk });
    expect(contents(after)).toEqual([...before, '10 2000 text of 2000']);
    expect(after.ledger.historyOf(seq(3))).toEqual(historyWith({ attempts: 1, deaths: 1, begun: false }));
  });
});

it('of a format before the first is refused like a newer one, and left as it is', async () => {
  for (const format of [1, FORMAT + 1]) {
    const disk = diskWith({
      'log/0000000000000000.log': [{ kind: 1, text: `{"format":${format},"bot":"${bot}"}` }],
    });
    const before = disk.paths();
    await expect(open({ disk })).rejects.toMatchObject({ code: 'INBOX_NEWER' });
    expect(disk.paths()).toEqual(before);
  }
});
