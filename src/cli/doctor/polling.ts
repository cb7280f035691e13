/**
 * Checks whether Telegram knows the bot, and who fetches its updates.
 *
 * A poll that waits ends the poll of whoever else waits with a 409, of which a bot on plain Telegraf or grammY dies. So none is
 * made unless it is asked for, and none at all where lastcall itself runs the bot: its own polls tell. What is looked at
 * instead disturbs nobody: what the running process says, how the last run ended, and the other processes of this host.
 */

import { ExitCode } from '../../exit-code.js';
import type { RunRecord } from '../../host/run-record.js';
import { isObject } from '../../json.js';
import type { StatusReport } from '../../observe/status/report.js';
import type { ApiAnswer, WebhookInfo } from '../../polling/bot-api.js';
import { count, durationInWords } from '../../words.js';
import type { DatabaseFacts } from './database.js';
import { type Finding, skipped, warning, well, wrong } from './finding.js';
import { type FoundProcess, processInWords } from './processes.js';

export interface PollingFacts {
  readonly apiRoot: string;
  /** Undefined where there is no token, or Telegram was not reached. */
  readonly me: ApiAnswer<unknown> | undefined;
  readonly webhook: ApiAnswer<WebhookInfo> | undefined;
  readonly deletesWebhook: boolean;
  /** What the process says that runs the bot on this host. */
  readonly report: StatusReport | undefined;
  /** Whether a process of lastcall runs the bot on this host, be it one that does not answer. */
  readonly isRunning: boolean;
  readonly lastRun: RunRecord | undefined;
  /** Processes of this host, not lastcall's, that may poll with the token. */
  readonly suspects: readonly FoundProcess[];
  /** The answer to a poll that was asked for by `--poll`. */
  readonly polled: ApiAnswer<unknown> | undefined;
  /** Why none was made although it was asked for; undefined where it was not, or where one was made. */
  readonly notPolled: string | undefined;
}

/** What decides whether a poll may be made. */
export interface PollGrounds {
  readonly webhook: ApiAnswer<WebhookInfo> | undefined;
  /** Undefined where the setting INBOX cannot be used. */
  readonly inbox: string | undefined;
  /** Undefined unless the inbox is in a database. */
  readonly database: Pick<DatabaseFacts, 'failure' | 'version' | 'counts' | 'hosts'> | undefined;
}

/**
 * Returns why no poll may be made; undefined where one may. Hosts that share a database poll in turns, so that a poll from here
 * would disturb one of them, unless the database tells that none is at work.
 */
export function obstacleToPoll({ webhook, inbox, database }: PollGrounds): string | undefined {
  if (webhook?.kind === 'ok' && webhook.result.url !== '')
    return 'Telegram answers no poll while a webhook is set';
  if (inbox === undefined) return 'INBOX cannot be used, so whether another host runs the bot is not known';
  if (!database) return undefined;
  if (database.hosts.some(({ isAlive }) => isAlive))
    return 'a process of lastcall on another host runs the bot';
  // Without tables no host has ever worked there.
  const isRead = !database.failure && (database.version === undefined || database.counts !== undefined);
  return isRead ? undefined : 'the database was not read, so whether another host runs the bot is not known';
}

export function checkPolling(facts: PollingFacts): readonly Finding[] {
  return [...checkMe(facts), ...checkWebhook(facts), checkRival(facts)];
}

function checkMe({ me, apiRoot }: PollingFacts): readonly Finding[] {
  if (!me || me.kind === 'unreachable') return [];
  if (me.kind === 'ok') {
    const name = isObject(me.result) ? me.result['username'] : undefined;
    return [well('bot', `Telegram knows the bot as @${typeof name === 'string' ? name : '(no name)'}`)];
  }
  const { errorCode, description } = me;
  if (errorCode !== 401 && errorCode !== 404)
    return [
      warning('bot', `${apiRoot} answers getMe with ${errorCode} ${description}.`, {
        cure: 'wait a minute and look again; lastcall tries again by itself',
      }),
    ];
  return [
    wrong('bot', `Telegram refuses the token: ${errorCode} ${description}.`, {
      cure: 'it was revoked or mistyped, or belongs to another Bot API server: ask @BotFather in Telegram for the current one (/token), set it as BOT_TOKEN, and restart the bot',
    }),
  ];
}

/** The path of a webhook's URL is often its secret. */
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'an address that is no URL');

function checkWebhook({ webhook, deletesWebhook, isRunning, apiRoot }: PollingFacts): readonly Finding[] {
  if (webhook?.kind !== 'ok') return [];
  const { url, pendingUpdateCount } = webhook.result;
  const waiting =
    pendingUpdateCount === 0 ? '' : `; ${count(pendingUpdateCount, 'update')} waiting at Telegram`;
  if (url === '') return [well('webhook', `none set${waiting}`)];
  const text = `A webhook at ${hostOf(url)} takes the bot's updates, so that polls are refused (409)${waiting}`;
  const shell = 'BOT_TOKEN is to be set in the shell';
  const commands = [`curl -s "${apiRoot.replace(/\/$/, '')}/bot$BOT_TOKEN/deleteWebhook"`];
  if (deletesWebhook && !isRunning)
    return [
      warning('webhook', `${text}. The next start removes it (DELETE_WEBHOOK=yes).`, {
        cure: 'if another program needs it, give that one a bot of its own; else nothing is to be done',
      }),
    ];
  return [
    wrong('webhook', `${text}.`, {
      cure: isRunning
        ? `another program has set it while the bot ran: find and stop that, then remove the webhook (${shell}):`
        : `remove it (${shell}), or set DELETE_WEBHOOK=yes:`,
      commands,
    }),
  ];
}

/** Telegram also answers 409 where a webhook is set, by which no rival is known. */
const isOfRival = ({ errorCode, description }: Extract<ApiAnswer<unknown>, { kind: 'refused' }>): boolean =>
  errorCode === 409 && /terminated by other/i.test(description);

function checkRival(facts: PollingFacts): Finding {
  const { report, isRunning, lastRun, suspects, polled, notPolled } = facts;
  const suspected = suspects.map(processInWords).join(', ');
  const stop = {
    cure: 'only one program can poll with a token: stop the other; where it cannot be found, have @BotFather revoke the token (/revoke), and set the new one here',
    ...(suspects.length > 0 && {
      commands: suspects.map(({ pid }) => `ps -o pid,user,lstart,args -p ${pid}`),
    }),
  };
  const { state, why, detail, forMs } = report?.polling ?? {};
  if (state === 'hindered' && /another program/.test(why ?? ''))
    return wrong(
      'rival',
      `Another program polls with the same token${since(forMs)}${suspected && `: perhaps ${suspected}`}.`,
      stop,
    );
  if (polled?.kind === 'refused' && isOfRival(polled))
    return wrong(
      'rival',
      `Another program polls with the same token${suspected && `: perhaps ${suspected}`}.`,
      stop,
    );
  if (suspects.length > 0)
    return warning('rival', `${suspected} may poll with the same token, outside of lastcall.`, stop);
  if (state === 'polling')
    return well(
      'polling',
      `by process ${report?.pid}${since(forMs)}; no other program disturbs it (no poll was made here)`,
    );
  if (state === 'hindered')
    return wrong(
      'polling',
      `Process ${report?.pid} does not poll${since(forMs)}: ${why}${detail === undefined ? '' : ` (${detail})`}.`,
      {
        cure: 'see the findings beside this one, and what it has logged',
      },
    );
  if (isRunning) return well('polling', 'a process of this host runs the bot; no poll was made here');
  if (polled?.kind === 'ok') return well('rival', 'nobody has polled while this was looked for');
  if (polled)
    return skipped(
      'rival',
      `the poll tells nothing: ${polled.kind === 'refused' ? `${polled.errorCode} ${polled.description}` : polled.detail}.`,
    );
  if (notPolled !== undefined) return skipped('rival', `no poll was made: ${notPolled}.`);
  if (lastRun?.exitCode === ExitCode.conflict)
    return warning(
      'rival',
      'The last run ended (75) because another program polled with the same token, or ran the bot.',
      stop,
    );
  return well(
    'rival',
    'none on this host; `lastcall doctor --poll` looks further, but ends the poll of another',
  );
}

const since = (forMs: number | undefined): string =>
  forMs === undefined ? '' : `, for ${durationInWords(forMs)}`;
