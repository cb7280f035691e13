/** The page: joins what the server tells, what is shown, and what a person does. */
import { activeFaultsView } from './active-faults.js';
import { botView } from './bot-view.js';
import { chatsView } from './chats-view.js';
import type { Context } from './context.js';
import { conversationView } from './conversation.js';
import { part, setText } from './dom.js';
import { happensView } from './happens-view.js';
import { follow, Server } from './server.js';
import { Store } from './store.js';

const store = new Store();
const server = new Server();
const chatListeners: (() => void)[] = [];
let chat: number | undefined;
let showWay: (update: number) => void = () => {};

const context: Context = {
  store,
  server,
  get chat() {
    return chat;
  },
  author: undefined,
  showChat(id) {
    chat = id;
    for (const listener of chatListeners) listener();
    showPane('conversation');
    document.querySelector<HTMLElement>('#composer textarea')?.focus();
  },
  showUpdate(id) {
    showPane('happens');
    showWay(id);
  },
  onChat: (listener) => void chatListeners.push(listener),
};

/** On a narrow screen, one part of the page is shown at a time. */
function showPane(name: string): void {
  document.body.dataset['pane'] = name;
  for (const button of document.querySelectorAll('.panes button'))
    button.setAttribute('aria-pressed', `${button.getAttribute('data-pane') === name}`);
}

for (const button of document.querySelectorAll('.panes button'))
  button.addEventListener('click', () => showPane(button.getAttribute('data-pane') ?? 'conversation'));

// The first listener: all others see the chat that is chosen here.
store.onNews((_news, isSnapshot) => {
  if (!isSnapshot) return;
  server.bot = store.bot?.id;
  if (chat === undefined || !store.chats.has(chat)) chat = [...store.chats.keys()][0];
});

let stop = () => {};
const take: Parameters<typeof follow>[1] = (news, isSnapshot) => store.take(news, isSnapshot);

function onConnection(isOpen: boolean): void {
  document.body.classList.toggle('lost', !isOpen);
  // The place is there from the beginning: screen readers speak only what comes into a place that they know.
  const words = 'The sandbox does not answer: what is shown here may be old. It is tried again.';
  setText(part('lost'), isOpen ? '' : words);
}

function choose(bot: number | undefined): void {
  stop();
  chat = undefined;
  stop = follow(bot, take, onConnection);
}

// A program may bring its own token, and so be another bot than the one that is shown before anybody has called.
store.onNews(() => {
  const other = store.bots.find(({ id }) => id !== store.bot?.id);
  if (other && store.bot?.lastCallAtMs === undefined && store.chats.size === 0) choose(other.id);
});
botView(context, choose);
activeFaultsView(context);
chatsView(context);
conversationView(context);
showWay = happensView(context);
showPane('conversation');
choose(undefined);
