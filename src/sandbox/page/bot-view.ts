/** The bot at the top of the page: which one, how it does, and the buttons that stop and restart it. */
import { statusOf } from './bot-status.js';
import type { Context } from './context.js';
import { h, part, setText } from './dom.js';
import { plural } from './words.js';

const REFRESH_MS = 500;

/** Calls `choose` when another bot is to be shown. */
export function botView({ store, server }: Context, choose: (bot: number) => void): void {
  const select = h('select', {
    'aria-label': 'Bot',
    on: { change: () => choose(Number(select.value)) },
  });
  const name = h('span', { class: 'name' });
  const words = h('strong', { class: 'words' });
  const details = h('span', { class: 'more-words' });
  // The words change seldom, and are spoken; the details count seconds, and are not.
  const status = h(
    'p',
    { class: 'status' },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    h('span', { role: 'status' }, words),
    details,
  );
  const counts = h('p', {
    class: 'counts',
    title:
      'queued: what the bot has not confirmed; confirmed to: the server forgets the updates before this one',
  });
  const act = (what: string) => () => void server.act('process', { do: what });
  const term = h(
    'button',
    { type: 'button', class: 'secondary', title: 'Stop it in order: SIGTERM', on: { click: act('SIGTERM') } },
    'Stop',
  );
  const kill = h(
    'button',
    {
      type: 'button',
      class: 'secondary danger',
      title: 'End it at once: SIGKILL',
      on: { click: act('SIGKILL') },
    },
    'Kill',
  );
  const restart = h(
    'button',
    { type: 'button', class: 'secondary', on: { click: act('restart') } },
    'Restart',
  );
  const buttons = h(
    'div',
    { class: 'buttons', role: 'group', 'aria-label': 'Process of the bot' },
    term,
    kill,
    restart,
  );

  function refresh(): void {
    const { bot, process, bots } = store;
    if (!bot) return;
    const { tone, words: state, details: more } = statusOf(bot, process, store.nowMs);
    status.dataset['tone'] = tone;
    // Silence is counted in the words; for speech it is one state.
    setText(words, state);
    setText(details, more);
    setText(name, `@${bot.username}`);
    const facts = [
      `${bot.queued} queued`,
      bot.confirmedOffset === undefined ? undefined : `confirmed to ${bot.confirmedOffset}`,
      bot.conflicts > 0 ? plural(bot.conflicts, 'conflict') : undefined,
      process && process.starts > 1 ? `restarted ${process.starts - 1}×` : undefined,
    ];
    setText(counts, facts.filter((fact) => fact !== undefined).join(' · '));
    select.hidden = bots.length < 2;
    name.hidden = bots.length > 1;
    if (select.childElementCount !== bots.length)
      select.replaceChildren(...bots.map(({ id, username }) => h('option', { value: id }, `@${username}`)));
    select.value = `${bot.id}`;
    buttons.hidden = process === undefined;
    const isEnded = process?.status === 'ended';
    term.disabled = isEnded;
    kill.disabled = isEnded;
    setText(restart, isEnded ? 'Start' : 'Restart');
  }

  part('bot').append(select, name, status, counts, buttons);
  store.onNews(refresh);
  setInterval(refresh, REFRESH_MS);
}
