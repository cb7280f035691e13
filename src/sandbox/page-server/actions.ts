/** The table of what a person can do on the page: its name → its fields → what is done → response. */
import { isObject, parseJson } from '../../json.js';
import { press } from '../buttons.js';
import {
  anyText,
  anything,
  between,
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
import { contactLetter, diceLetter, locationLetter, stickerLetter } from './attachments.js';
import { ask, choose } from './inline-results.js';
import { block, blockings, move, moves } from './membership.js';
import { edit, remove, send, sendText, setReaction } from './messages.js';
import { addGroup, addPerson } from './newcomers.js';
import { repeatCall } from './repeated-call.js';
import { type Actor, actor, authorOf, reported, type Subject } from './subject.js';
import { fileLetter, sendings } from './uploads.js';

const MAX_TEXT_LENGTH = 4_096;
const MAX_CAPTION_LENGTH = 1_024;
const MAX_QUERY_LENGTH = 256;
const MAX_EMOJI_LENGTH = 16;
const MAX_PARAMETERS_LENGTH = 1_000_000;
const MAX_PIXELS = 10_000;
const MAX_SECONDS = 86_400;

const processActions = ['SIGTERM', 'SIGKILL', 'restart'] as const;

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

/** To whom a message goes, and in reply to what. */
const sending = { ...actor, replyTo: optional(id) };

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  [
    'say',
    action({ ...sending, text: text(MAX_TEXT_LENGTH) }, ({ text: written, ...to }, subject) => {
      const dice = diceLetter(written);
      return dice ? send(subject, to, dice) : sendText(subject, to, written);
    }),
  ],
  [
    'file',
    action(
      {
        ...sending,
        name: text(255),
        type: anything('the type of the file'),
        as: optional(oneOf(sendings)),
        caption: optional(text(MAX_CAPTION_LENGTH)),
        width: optional(whole(1, MAX_PIXELS)),
        height: optional(whole(1, MAX_PIXELS)),
        duration: optional(whole(0, MAX_SECONDS)),
      },
      ({ chat, from, replyTo, ...file }, subject) =>
        send(subject, { chat, from, replyTo }, fileLetter(subject, file)),
    ),
  ],
  [
    'sticker',
    action({ ...sending, emoji: text(MAX_EMOJI_LENGTH) }, ({ emoji, ...to }, subject) =>
      send(subject, to, stickerLetter(subject.account, emoji)),
    ),
  ],
  [
    'location',
    action(
      { ...sending, latitude: between(-90, 90), longitude: between(-180, 180) },
      ({ latitude, longitude, ...to }, subject) => send(subject, to, locationLetter(latitude, longitude)),
    ),
  ],
  [
    'contact',
    action({ ...sending, name: personName, phone: text(32) }, ({ name, phone, ...to }, subject) =>
      send(subject, to, contactLetter(name, phone)),
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
  ['inline', action({ ...actor, query: anyText(MAX_QUERY_LENGTH), offset: optional(text(64)) }, ask)],
  ['choose', action({ ...actor, query: text(64), result: text(64) }, choose)],
  ['edit', action({ ...actor, message: id, text: text(MAX_TEXT_LENGTH) }, edit)],
  ['delete', action({ chat: id, message: id }, remove)],
  ['react', action({ ...actor, message: id, emoji: optional(text(MAX_EMOJI_LENGTH)) }, setReaction)],
  ['person', action({ name: personName }, ({ name }, subject) => addPerson(subject, name))],
  ['group', action({ title: personName }, ({ title }, subject) => addGroup(subject, title))],
  ['block', action({ chat: id, do: oneOf(blockings) }, block)],
  ['move', action({ ...actor, do: oneOf(moves) }, move)],
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

function pressButton(
  { chat, from, button, message }: Actor & { readonly button: string; readonly message: number | undefined },
  subject: Subject,
): object {
  const { account } = subject;
  const pressed = press(account, { chat, button, message, fromId: authorOf(account, { chat, from }).id });
  if ('says' in pressed) return sendText(subject, { chat, from }, pressed.says);
  const { updateId } = pressed;
  const query = account.queries.list().findLast((known) => known.updateId === updateId);
  return {
    ...reported(account, 'callback_query', updateId),
    ...(updateId !== undefined && { press: query?.id }),
  };
}

function controlProcess({ do: what }: { do: (typeof processActions)[number] }, { source }: Subject): object {
  const process = source.process();
  if (!process)
    throw new RangeError('the sandbox does not run the bot; start it as lastcall sandbox -- bot.js');
  if (what === 'restart') process.restart();
  else process.signal(what);
  return {};
}
