/** People who chat with the example bot. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox } from '../../sandbox/sandbox.js';

export interface Person {
  readonly name: string;
  readonly chat: number;
  /** The time between an answer and the next message. */
  readonly pauseMs: number;
  readonly messages: readonly string[];
}

export const people: readonly Person[] = [
  {
    name: 'Ada',
    chat: 101,
    pauseMs: 900,
    messages: ['/start', 'Can you count?', 'And remember?', 'Good night!'],
  },
  { name: 'Grace', chat: 102, pauseMs: 700, messages: ['/start', '/help', 'There is a moth in the relay.'] },
  { name: 'Alan', chat: 103, pauseMs: 300, messages: ['/slow', 'Can machines think?'] },
];

/** So many people who write all the time, some of whom ask for what takes long. */
export function crowd(size: number): readonly Person[] {
  return Array.from({ length: size }, (_, index) => ({
    name: `Person ${index + 1}`,
    chat: 201 + index,
    pauseMs: 300 + (index % 3) * 150,
    messages: index % 2 === 0 ? ['/slow', 'And now?'] : ['/start', 'Are you there?', 'Still there?'],
  }));
}

export interface ChatOptions {
  /** Aborts when no more messages may be sent. While the bot drains, it still answers earlier messages. */
  readonly end: AbortSignal;
  /** Aborts when nobody will answer any more. */
  readonly gone: AbortSignal;
  /** Called with each message and its first answer. */
  answered?(name: string, text: string, answer: string | undefined): void;
}

/** Sends the person's messages in a loop, and waits for the answer to each. */
export async function converse(
  sandbox: Sandbox,
  { name, chat, pauseMs, messages }: Person,
  { end, gone, answered }: ChatOptions,
): Promise<void> {
  try {
    for (let turn = 0; !end.aborted; turn++) {
      const text = messages[turn % messages.length] ?? '';
      const { answers } = await sandbox.ask({ chat, from: name, text }, gone);
      answered?.(name, text, answers[0]?.text);
      await sleep(pauseMs, undefined, { signal: end });
    }
  } catch (error) {
    if (!end.aborted) throw error;
  }
}
