/** What the disk takes to make one batch durable: the least that a journal adds to it. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './figures.js';
import { BATCH, messages } from './messages.js';
import { temporaryFolder } from './peer.js';

const WRITES = 50;

/** The median of so many writes of a batch's bytes to the end of a file, each with an fdatasync, in milliseconds. */
export function fsyncMs() {
  const batch = JSON.stringify(
    [...messages(BATCH, BATCH)].map((update, id) => ({ update_id: id, ...update })),
  );
  const folder = temporaryFolder();
  const file = openSync(join(folder, 'batches'), 'a');
  try {
    const times = Array.from({ length: WRITES }, () => {
      const from = performance.now();
      writeSync(file, batch);
      fdatasyncSync(file);
      return performance.now() - from;
    });
    return median(times);
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}
