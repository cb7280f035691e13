/** The right side of the page: the tabs for updates, the log, the network and the wire. */
import type { Context } from './context.js';
import { h, part } from './dom.js';
import { LogView } from './log-view.js';
import { NetworkView } from './network-view.js';
import { UpdatesView } from './updates-view.js';
import { WireView } from './wire-view.js';

interface Tab {
  readonly name: string;
  readonly panel: HTMLElement;
  readonly button: HTMLButtonElement;
}

/** Returns a function that shows the way of an update. */
export function happensView(context: Context): (update: number) => void {
  const updates = new UpdatesView(context);
  const log = new LogView(context);
  const contents = [
    ['Updates', updates.element],
    ['Log', log.element],
    ['Network', new NetworkView(context).element],
    ['Wire', new WireView(context).element],
  ] as const;
  const tabs: Tab[] = contents.map(([name, content], index) => {
    const button = h(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `tab-${index}`,
        'aria-controls': `panel-${index}`,
        on: { click: () => show(index) },
      },
      name,
    );
    const panel = h(
      'div',
      {
        class: 'panel',
        role: 'tabpanel',
        id: `panel-${index}`,
        'aria-labelledby': `tab-${index}`,
        tabindex: 0,
      },
      content,
    );
    return { name, panel, button };
  });

  function show(index: number): void {
    for (const [place, { button, panel }] of tabs.entries()) {
      button.setAttribute('aria-selected', `${place === index}`);
      button.tabIndex = place === index ? 0 : -1;
      panel.hidden = place !== index;
    }
    if (tabs[index]?.panel.contains(log.element)) log.shown();
  }

  const list = h(
    'div',
    { class: 'tabs', role: 'tablist', 'aria-label': 'What happens' },
    ...tabs.map(({ button }) => button),
  );
  list.addEventListener('keydown', ({ key }) => {
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const index = (tabs.findIndex(({ panel }) => !panel.hidden) + step + tabs.length) % tabs.length;
    show(index);
    tabs[index]?.button.focus();
  });
  part('happens').append(list, ...tabs.map(({ panel }) => panel));
  show(0);
  return (update) => {
    show(0);
    updates.open(update);
  };
}
