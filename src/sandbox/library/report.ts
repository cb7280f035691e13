/** Tells what a bot has done in place of what was awaited, and what this points to. */
import { isObject, parseJson } from '../../json.js';
import { count } from '../../words.js';
import type { Call } from '../calls.js';
import type { Sandbox as Server } from '../sandbox.js';
import type { UpdateRecord } from '../state/update-record.js';
import { messageInWords, type SeenMessage } from './seen-message.js';

/** The most calls that are shown, and the most characters of the parameters of each. */
const MAX_CALLS = 12;
const MAX_PARAMETERS_LENGTH = 160;

/** What is known when a wait is over. */
export interface Facts {
  /** The newest update that a person has caused in the chat. */
  readonly update: UpdateRecord | undefined;
  /** The calls of the bot since then, without its polls. */
  readonly calls: readonly Call[];
  /** The messages that the person has not heard, in this chat. */
  readonly unheard: readonly SeenMessage[];
  /** How often the bot has polled, from the start. */
  readonly polls: number;
  /** How often it has called, polls included. */
  readonly callsInAll: number;
  readonly webhookUrl: string;
  /** The ids of bots with other tokens that have called. */
  readonly otherBots: readonly number[];
}

/** Collects what is known of a bot since a time of the sandbox's clock. */
export function factsOf(
  server: Server,
  {
    updateId,
    sinceMs,
    unheard,
  }: { updateId: number | undefined; sinceMs: number; unheard: Facts['unheard'] },
): Facts {
  const { polls, webhookUrl, calls } = server.state();
  return {
    update: updateId === undefined ? undefined : server.update(updateId),
    calls: server.calls().filter(({ atMs, method }) => atMs >= sinceMs && !isPoll(method)),
    unheard,
    polls,
    callsInAll: Object.values(calls).reduce((sum, number) => sum + number, 0),
    webhookUrl,
    otherBots: server
      .bots()
      .filter((bot) => bot.id !== server.id && Object.keys(bot.state().calls).length > 0)
      .map(({ id }) => id),
  };
}

/** Describes the facts, one a line. */
export function describe({ update, calls, unheard }: Facts): string {
  const lines = [
    update && `The newest update here, ${update.kind} ${update.id}, ${fate(update)}.`,
    calls.length === 0
      ? `The bot has called nothing${update ? ' since then' : ''}.`
      : `${update ? 'Since then the' : 'The'} bot has called:\n${calls.slice(-MAX_CALLS).map(callInWords).join('\n')}`,
    unheard.length > 0 && `Not heard so far: ${unheard.map(messageInWords).join(', ')}.`,
  ];
  return lines.filter((line) => line).join('\n');
}

function fate({ state, deliveryCount, confirmedBy }: UpdateRecord): string {
  switch (state) {
    case 'waiting':
      return 'waits for the bot to poll';
    case 'delivered':
      return `was delivered ${deliveryCount === 1 ? 'once' : count(deliveryCount, 'time')} and is not confirmed yet`;
    case 'confirmed':
      return `was delivered and confirmed (by offset ${confirmedBy})`;
    case 'expired':
      return 'has expired';
    case 'dropped':
      return 'was dropped by the bot';
  }
}

function callInWords({ method, parameters, fault, answered }: Call): string {
  const json = JSON.stringify(parameters);
  const shown = json.length > MAX_PARAMETERS_LENGTH ? `${json.slice(0, MAX_PARAMETERS_LENGTH)}…` : json;
  const outcome = answered ? `${answered.status}${refusal(answered.body)}` : 'no answer yet';
  return `  ${method} ${shown} → ${outcome}${fault === undefined ? '' : ` (fault: ${fault})`}`;
}

function refusal(body: string | undefined): string {
  const content = body === undefined ? undefined : parseJson(body);
  return isObject(content) && content['ok'] === false ? ` ${content['description']}` : '';
}

/** Returns what to do next, as far as the facts point to something. */
export function nextStepFor({
  update,
  calls,
  polls,
  callsInAll,
  webhookUrl,
  otherBots,
}: Facts): string | undefined {
  if (callsInAll === 0)
    return otherBots.length > 0
      ? `give the sandbox the token of the bot, createSandbox({ token }): a bot with another one has called, ${otherBots.join(', ')}`
      : 'launch the bot, with sandbox.start(bot), and build it with sandbox.apiRoot: it has not called this server yet';
  if (webhookUrl !== '') return 'launch the bot without a webhook: the sandbox delivers to polls only';
  if (polls === 0) return 'launch the bot, with sandbox.start(bot): it has not polled yet';
  if (update?.state === 'waiting')
    return 'see whether the bot has stopped, or a handler of an earlier update is still running';
  if (calls.some(({ answered }) => answered && answered.status >= 400))
    return 'see why the call above was refused';
  if (update?.state === 'delivered')
    return 'find what the handler waits for: the bot has the update, and has not come back for more';
  if (update?.state === 'confirmed' && calls.length === 0)
    return 'see whether a handler of the bot takes this update: it was handled without a call';
  return undefined;
}

export const isPoll = (method: string): boolean => method.toLowerCase() === 'getupdates';
