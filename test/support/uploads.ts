/** Mends the uploads of the copies of Telegraf that a test has imported: Jest has a module cache of its own. */
import { createRequire } from 'node:module';
import { mendSandwichStream } from '../../src/telegraf/takeover/uploads.js';

export function mendLoadedUploads(): void {
  mendSandwichStream(createRequire(import.meta.url)('sandwich-stream'));
}
