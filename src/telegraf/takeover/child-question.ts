/** Asks, in a worker thread or child process of a program, whether a bot may be polled there. */
import { connect } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { holdPolls } from './held-polls.js';
import { Patches } from './patches.js';

/** The variable with the address of the socket to ask at. */
export const ADDRESS = 'LASTCALL_PARENT';
/** The answer that lets the polls go on. */
export const GO_ON = 'go on\n';

/** Holds all polls back until they may go on. Calls `end` when they may not, or nobody is left to ask. */
export function askBeforePolls(address: string, end: () => void): void {
  const patches = new Patches();
  let allowed: Promise<void> | undefined;
  holdPolls(({ send }) => {
    allowed ??= ask(address, end).then(() => patches.undo());
    void allowed.then(send);
  }, patches);
}

function ask(address: string, end: () => void): Promise<void> {
  return new Promise((resolve) => {
    let isAllowed = false;
    const connection = connect(address);
    connection.setEncoding('utf8');
    connection.write(JSON.stringify({ file: process.argv[1], isThread: !isMainThread }));
    connection.on('error', () => {});
    connection.on('data', (answer: string) => {
      if (answer !== GO_ON) return;
      isAllowed = true;
      connection.end();
      resolve();
    });
    // The end of lastcall closes the connection, so that nothing polls on behind its back.
    connection.on('close', () => {
      if (!isAllowed) end();
    });
  });
}
