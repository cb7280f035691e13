/** What a person does on the page: writes, presses, votes, uploads, edits, reacts, adds people, stops the bot. */
import { isObject, parseJson } from '../../json.js';
import { editText, react } from '../acts.js';
import type { BotAccount } from '../bot-account.js';
import { press } from '../buttons.js';
import {
  anything,
  type Fields,
  id,
  listOf,
  oneOf,
  optional,
  parseFields,
  personName,
  text,
  type ValuesOf,
  whole,
} from '../control/fields.js';
import { plainText, textFields } from '../text/formatted-text.js';
import { addGroup, addPerson } from './newcomers.js';
import { repeatCall } from './repeated-call.js';
import type { PageSource } from './source.js';
import { uploadContent } from './uploads.js';

const MAX_TEXT_LENGTH = 4_096;
const MAX_EMOJI_LENGTH = 16;
const MAX_PARAMETERS_LENGTH = 1_000_000;

const processActions = ['SIGTERM', 'SIGKILL', 'restart'] as const;

/** What an action is about. */
export interface Subject {
  readonly source: PageSource;
  readonly account: BotAccount;
  /** The file, for an upload. */
  readonly body: Buffer;
}

type Given = Readonly<Record<string, unknown>>;

/** Performs an action, and returns the content of the response. */
type Action = (given: Given, subject: Subject) => object | Promise<object>;

const action =
  <F extends Fields>(
    fields: F,
    run: (values: ValuesOf<F>, subject: Subject) => object | Promise<object>,
  ): Action =>
  (given, subject) =>
    run(parseFields({ ...fields, bot: optional(id) }, given) as ValuesOf<F>, subject);

/** Who acts, and where. The person is by default the one of a private chat. */
const actor = { chat: id, from: optional(id) };

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  [
    'say',
    action(
      { ...actor, text: text(MAX_TEXT_LENGTH), replyTo: optional(id) },
      ({ text: written, ...values }, subject) =>
        send(subject, values, written, textFields(plainText(written))),
    ),
  ],
  [
    'file',
    action(
      {
        ...actor,
        name: text(255),
        type: anything('the type of the file'),
        caption: optional(text(1_024)),
        replyTo: optional(id),
        width: optional(whole(1, 10_000)),
        height: optional(whole(1, 10_000)),
      },
      ({ chat, from, replyTo, ...file }, subject) =>
        send(subject, { chat, from, replyTo }, file.caption ?? file.name, uploadContent(subject, file)),
    ),
  ],
  ['press', action({ ...actor, button: text(256), message: optional(id) }, pressButton)],
  [
    'vote',
    action(
      { ...actor, message: id, options: listOf(whole(0, 100)) },
      ({ from, ...cast }, { source, account }) =>
        reported(account, 'poll_answer', source.bot(account).vote({ ...cast, fromId: from })[0]),
    ),
  ],
  ['edit', action({ ...actor, message: id, text: text(MAX_TEXT_LENGTH) }, edit)],
  ['react', action({ ...actor, message: id, emoji: optional(text(MAX_EMOJI_LENGTH)) }, setReaction)],
  ['person', action({ name: personName }, ({ name }, subject) => addPerson(subject, name))],
  ['group', action({ title: personName }, ({ title }, subject) => addGroup(subject, title))],
  ['call', action({ method: text(64), parameters: text(MAX_PARAMETERS_LENGTH) }, repeatCall)],
  ['process', action({ do: oneOf(processActions) }, controlProcess)],
]);

/** Performs an action. Rejects with a RangeError that says what is wrong, or an ApiError. */
export async function perform(
  name: string,
  searchParams: URLSearchParams,
  subject: Subject,
): Promise<object> {
  const run = actions.get(name);
  if (!run)
    throw new RangeError(`there is no action '${name}'; it must be one of ${[...actions.keys()].join(', ')}`);
  const query = Object.fromEntries(searchParams);
  return run(name === 'file' ? query : { ...query, ...fieldsOf(subject.body) }, subject);
}

function fieldsOf(body: Buffer): Given {
  const value = parseJson(body.toString());
  if (!isObject(value)) throw new RangeError('the body must be a JSON object');
  return value;
}

interface Sending {
  readonly chat: number;
  readonly from: number | undefined;
  readonly replyTo: number | undefined;
}

/** Sends a message of a person, which reports call by its name. */
function send(
  { source, account }: Subject,
  { chat, from, replyTo }: Sending,
  name: string,
  content: object,
): object {
  const original = replyTo === undefined ? undefined : account.messages.find(chat, replyTo);
  const reply = original && { reply_to_message: { ...original, reply_to_message: undefined } };
  // The request for a reply is over with any message, as in Telegram's apps.
  const details = account.chats.details(chat);
  if (isObject(details.replyMarkup) && details.replyMarkup['force_reply'] === true)
    delete details.replyMarkup;
  const [update] = source.bot(account).say({
    chat,
    fromId: authorOf(account, { chat, from }).id,
    text: name,
    content: { ...reply, ...content },
  });
  return reported(account, 'message', update);
}

function pressButton(
  {
    chat,
    from,
    button,
    message,
  }: { chat: number; from: number | undefined; button: string; message: number | undefined },
  subject: Subject,
): object {
  const { account } = subject;
  const pressed = press(account, { chat, button, message, fromId: authorOf(account, { chat, from }).id });
  if ('says' in pressed)
    return send(
      subject,
      { chat, from, replyTo: undefined },
      pressed.says,
      textFields(plainText(pressed.says)),
    );
  const { updateId } = pressed;
  const query = account.queries.list().findLast((known) => known.updateId === updateId);
  return {
    ...reported(account, 'callback_query', updateId),
    ...(updateId !== undefined && { press: query?.id }),
  };
}

function edit(
  { chat, message: messageId, text: written }: { chat: number; message: number; text: string },
  { account }: Subject,
): object {
  return reported(account, 'edited_message', editText(account, { chat, message: messageId, text: written }));
}

/** Without an emoji, the reaction is taken back. */
function setReaction(
  {
    chat,
    from,
    message,
    emoji,
  }: { chat: number; from: number | undefined; message: number; emoji: string | undefined },
  { source, account }: Subject,
): object {
  const updateId = react(account, { chat, message, emoji, from: authorOf(account, { chat, from }) });
  source.changes.tell({ kind: 'message', bot: account.id, chat, id: message });
  return reported(account, 'message_reaction', updateId);
}

function controlProcess({ do: what }: { do: (typeof processActions)[number] }, { source }: Subject): object {
  const process = source.process();
  if (!process)
    throw new RangeError('the sandbox does not run the bot; start it as lastcall sandbox -- bot.js');
  if (what === 'restart') process.restart();
  else process.signal(what);
  return {};
}

/** The person who acts. */
const authorOf = ({ chats }: BotAccount, { chat, from }: { chat: number; from: number | undefined }) =>
  chats.person(from ?? Math.abs(chat));

/** The update that has come of an action; or, where there is none, why. */
function reported({ allowedUpdates }: BotAccount, kind: string, update: number | undefined): object {
  if (update !== undefined) return { update };
  const names = allowedUpdates
    ? `its allowed_updates are ${allowedUpdates.join(', ')}`
    : 'it has not asked for them';
  return { dropped: `The bot gets no updates of the kind ${kind}: ${names}.` };
}
