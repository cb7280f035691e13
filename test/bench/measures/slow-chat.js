/** One chat whose handler is slow, and 300 updates of 30 others that arrive right after it: how long the last waits. */
import { atMost, byTurns, medians } from '../figures.js';
import { withPeer } from '../peer.js';
import { peerNames } from '../peers.js';

const CHATS = 30;
const LINES = 10;
/** Longer than the slow handler by as much as a batch-at-a-time loop may need. */
const PATIENCE_MS = 60_000;
/** An idle program's second poll gets one update only where it comes this soon after the first; not what is asked here. */
const SETTLED_MS = 600;

export async function slowChat({ slowMs }) {
  const found = await byTurns(peerNames, 1, (name) =>
    withPeer(name, 'slow-chat.mjs', { env: { SLOW_MS: `${slowMs}` } }, async ({ sandbox }) => {
      await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
      await sandbox.waitFor(() => sandbox.state().waitingPolls > 0);
      sandbox.say({ chat: 1_000, text: 'slow' });
      await sandbox.waitFor(() => sandbox.state().waitingPolls === 0);
      for (let line = 1; line <= LINES; line++)
        for (let chat = 1; chat <= CHATS; chat++) sandbox.say({ chat, text: `line ${line}` });
      const others = () => sandbox.exchanges().slice(1);
      await sandbox.waitFor(() => sandbox.callCount('sendMessage') >= CHATS * LINES, PATIENCE_MS);
      await sandbox.waitFor(() => others().every(({ answers }) => answers.length > 0), PATIENCE_MS);
      return Math.max(...others().map(({ saidAtMs, answers: [first] }) => first.atMs - saidAtMs));
    }),
  );
  const figures = medians(found);
  return [
    {
      name: `${CHATS * LINES} behind a handler of ${slowMs / 1_000} s, all done`,
      unit: 'ms',
      figures,
      bounds: [atMost('lastcall', figures.lastcall, 500, 'ms')],
    },
  ];
}
