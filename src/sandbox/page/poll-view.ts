/** A poll, in which a press on an option is a vote, and another press takes it back. */
import type { MessageView } from '../page-protocol.js';
import { type Content, isRecord } from './content.js';
import { h } from './dom.js';

export interface PollListener {
  /** Who votes. */
  readonly author: number | undefined;
  /** Votes for all these options, and for no other. */
  vote(message: MessageView, options: readonly number[]): void;
}

export function pollView(view: MessageView, listener: PollListener): Node | undefined {
  const { poll } = view.message;
  if (!isRecord(poll)) return undefined;
  const chosen = view.votes?.find(({ person }) => person === (listener.author ?? view.chat))?.options ?? [];
  const options: readonly unknown[] = Array.isArray(poll['options']) ? poll['options'] : [];
  const isClosed = poll['is_closed'] === true;
  const takesSeveral = poll['allows_multiple_answers'] === true;
  const isQuiz = poll['type'] === 'quiz';

  function option(value: Content, index: number): Node {
    const isChosen = chosen.includes(index);
    const others = takesSeveral ? chosen.filter((other) => other !== index) : [];
    return h(
      'button',
      {
        type: 'button',
        'aria-pressed': `${isChosen}`,
        disabled: isClosed || (isQuiz && chosen.length > 0),
        on: { click: () => listener.vote(view, isChosen ? others : [...others, index]) },
      },
      `${value['text']} · ${value['voter_count']}`,
    );
  }

  const kind = isQuiz ? 'Quiz' : 'Poll';
  const about = [
    isClosed && 'closed',
    poll['is_anonymous'] === true && 'anonymous',
    takesSeveral && 'several answers',
  ];
  return h(
    'div',
    { class: 'keyboard poll', role: 'group', 'aria-label': kind },
    h('p', {}, h('strong', {}, `${poll['question']}`)),
    h('p', { class: 'note' }, [kind, ...about.filter((word) => word !== false)].join(' · ')),
    ...options.filter(isRecord).map((value, index) => h('div', { class: 'row' }, option(value, index))),
  );
}
