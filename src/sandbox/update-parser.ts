/** Parses raw updates that people and programs write, by the shape that the Bot API gives to each kind. */
import { isObject } from '../json.js';
import { FieldsError } from './fields-error.js';
import { updateKinds } from './update-kinds.js';

/** A raw Bot API update: an optional `update_id`, and one other field that names its kind. */
export interface NewUpdate {
  readonly update_id?: number;
  readonly [kind: string]: unknown;
}

/** The largest update id, with which the next id still is a 32-bit number as Telegram's are. */
export const MAX_UPDATE_ID = 2_147_483_646;

/** Returns raw updates that are fit for the queue. @throws FieldsError that says what is wrong, and where */
export function parseUpdates(value: unknown): NewUpdate[] {
  if (!Array.isArray(value))
    throw new FieldsError(new Map([['updates', 'updates must be a list of updates']]));
  const problems = new Map<string, string>();
  const updates = value.flatMap((update: unknown, index) => {
    try {
      return [parseUpdate(update)];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.set(`updates[${index}]`, `updates[${index}]: ${error.message}`);
      return [];
    }
  });
  if (problems.size > 0) throw new FieldsError(problems);
  return updates;
}

function parseUpdate(value: unknown): NewUpdate {
  if (!isObject(value)) throw new RangeError('an update must be an object');
  const { update_id: id } = value;
  if (id !== undefined && !(typeof id === 'number' && Number.isInteger(id) && id >= 1 && id <= MAX_UPDATE_ID))
    throw new RangeError(
      `update_id must be a whole number from 1 to ${MAX_UPDATE_ID}, not ${JSON.stringify(id)}`,
    );
  const kind = kindOf(value);
  const content = value[kind];
  const problems = fieldsOf(kind).flatMap(({ path, type }) => problemOf(content, kind, path, type) ?? []);
  if (problems.length > 0) throw new RangeError([...new Set(problems)].join(', '));
  return id === undefined ? { [kind]: content } : { update_id: id, [kind]: content };
}

/**
 * Returns the kind of an update: its one field beside the id.
 *
 * @throws RangeError if it has no kind, more than one, or one that is not known, or if its content is no object
 */
export function kindOf(update: Readonly<Record<string, unknown>>): string {
  const [kind, ...others] = Object.keys(update).filter((field) => field !== 'update_id');
  if (kind === undefined) throw new RangeError('an update needs one kind, such as message or callback_query');
  if (others.length > 0)
    throw new RangeError(`an update needs one kind, and has ${[kind, ...others].join(', ')}`);
  if (!updateKinds.includes(kind))
    throw new RangeError(`there is no kind of update ${kind}; expected one of ${updateKinds.join(', ')}`);
  if (!isObject(update[kind])) throw new RangeError(`${kind} must be an object`);
  return kind;
}

type FieldType = 'number' | 'text' | 'boolean' | 'object' | 'list';

interface RequiredField {
  /** The names of the field and of the objects around it. */
  readonly path: readonly string[];
  readonly type: FieldType;
}

const field = (path: string, type: FieldType): RequiredField => ({ path: path.split('.'), type });

const user = (name: string): RequiredField[] => [
  field(`${name}.id`, 'number'),
  field(`${name}.is_bot`, 'boolean'),
  field(`${name}.first_name`, 'text'),
];
const chat = (name: string): RequiredField[] => [
  field(`${name}.id`, 'number'),
  field(`${name}.type`, 'text'),
];

const message = [field('message_id', 'number'), field('date', 'number'), ...chat('chat')];
const query = [field('id', 'text'), ...user('from')];
const member = [
  ...chat('chat'),
  ...user('from'),
  field('date', 'number'),
  field('old_chat_member.status', 'text'),
  field('new_chat_member.status', 'text'),
];
const reaction = [...chat('chat'), field('message_id', 'number'), field('date', 'number')];

/** The fields without which an update of a kind is none, as far as programs tell updates apart by them. */
const requiredFields: ReadonlyMap<string, readonly RequiredField[]> = new Map<
  string,
  readonly RequiredField[]
>([
  ['message', message],
  ['edited_message', message],
  ['channel_post', message],
  ['edited_channel_post', message],
  ['business_message', message],
  ['edited_business_message', message],
  ['guest_message', message],
  ['business_connection', [field('id', 'text'), ...user('user'), field('date', 'number')]],
  [
    'deleted_business_messages',
    [field('business_connection_id', 'text'), ...chat('chat'), field('message_ids', 'list')],
  ],
  ['message_reaction', [...reaction, field('old_reaction', 'list'), field('new_reaction', 'list')]],
  ['message_reaction_count', [...reaction, field('reactions', 'list')]],
  ['inline_query', [...query, field('query', 'text'), field('offset', 'text')]],
  ['chosen_inline_result', [field('result_id', 'text'), ...user('from'), field('query', 'text')]],
  ['callback_query', [...query, field('chat_instance', 'text')]],
  ['shipping_query', [...query, field('invoice_payload', 'text'), field('shipping_address', 'object')]],
  [
    'pre_checkout_query',
    [...query, field('currency', 'text'), field('total_amount', 'number'), field('invoice_payload', 'text')],
  ],
  ['purchased_paid_media', [...user('from'), field('paid_media_payload', 'text')]],
  ['poll', [field('id', 'text'), field('question', 'text'), field('options', 'list')]],
  ['poll_answer', [field('poll_id', 'text'), field('option_ids', 'list')]],
  ['my_chat_member', member],
  ['chat_member', member],
  ['chat_join_request', [...chat('chat'), ...user('from'), field('date', 'number')]],
  ['chat_boost', [...chat('chat'), field('boost', 'object')]],
  ['removed_chat_boost', [...chat('chat'), field('boost_id', 'text'), field('remove_date', 'number')]],
  ['managed_bot', [...user('user'), ...user('bot')]],
]);

const fieldsOf = (kind: string): readonly RequiredField[] => requiredFields.get(kind) ?? [];

/** Returns what is wrong with a field: it, or an object around it, is missing or of another type. */
function problemOf(
  content: unknown,
  kind: string,
  path: readonly string[],
  type: FieldType,
): string | undefined {
  let value = content;
  for (const [depth, name] of path.entries()) {
    const parent = [kind, ...path.slice(0, depth)].join('.');
    if (!isObject(value)) return `${parent} must be an object`;
    value = value[name];
    if (value === undefined) return `${parent} needs ${name}`;
  }
  return isOfType(value, type)
    ? undefined
    : `${[kind, ...path].join('.')} must be a ${type}, not ${JSON.stringify(value)}`;
}

function isOfType(value: unknown, type: FieldType): boolean {
  switch (type) {
    case 'number':
      return Number.isSafeInteger(value);
    case 'text':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'object':
      return isObject(value);
    case 'list':
      return Array.isArray(value);
  }
}
