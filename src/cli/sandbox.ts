/**
 * `lastcall sandbox`: the local Bot API server alone, for people who try their bots without Telegram.
 */
import { parseArgs } from 'node:util';
import { ExitCode } from '../exit-code.js';
import { ApiError } from '../sandbox/answer.js';
import type { Message } from '../sandbox/message.js';
import { isRecord } from '../sandbox/parameters.js';
import { NOT_MODELLED, SANDBOX_TOKEN, type Sandbox, startSandbox } from '../sandbox/sandbox.js';

/** The port of Telegram's own open-source server. */
const DEFAULT_PORT = 8081;

const USAGE = `usage: lastcall sandbox [--port N] [--host-token TOKEN]… [--say TEXT]
  --port N            listen on 127.0.0.1:N (default ${DEFAULT_PORT}; 0: any free port)
  --host-token TOKEN  know this bot's token and no others; may be repeated (default: every well-formed token)
  --say TEXT          write this to the first bot at once
`;

interface Options {
  readonly port: number;
  readonly tokens: readonly string[] | undefined;
  readonly say: string | undefined;
}

/** Runs until `stop` aborts; resolves to the exit code: 0, or 78 with a word on stderr where it cannot start. */
export async function sandboxCommand(
  args: readonly string[],
  io: { stdout: NodeJS.WritableStream; stderr: NodeJS.WritableStream; stop: AbortSignal },
): Promise<number> {
  const { stdout, stderr, stop } = io;
  let options: Options;
  let sandbox: Sandbox;
  try {
    options = parse(args);
    sandbox = await start(options);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    stderr.write(`lastcall sandbox: ${error.message}\n${USAGE}`);
    return ExitCode.configuration;
  }
  stdout.write(introduction(sandbox, options));
  sandbox.watch((event) => {
    if (event.event === 'message.sent') stdout.write(line(event.bot, event.message));
  });
  if (options.say !== undefined) sandbox.say(options.say);
  await aborted(stop);
  await sandbox.close();
  return ExitCode.clean;
}

/** Why it cannot start, in words for the one who typed the command. */
class Refusal extends Error {}

function parse(args: readonly string[]): Options {
  const { values } = parsed(args);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Refusal(`--port must be a whole number from 0 to 65535, not '${values.port}'`);
  return { port, tokens: values['host-token'], say: values.say };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: `${DEFAULT_PORT}` },
        'host-token': { type: 'string', multiple: true },
        say: { type: 'string' },
      },
    });
  } catch (error) {
    throw new Refusal(`${detail(error, 'message')}`);
  }
}

async function start({ port, tokens }: Options): Promise<Sandbox> {
  try {
    return await startSandbox({ port, ...(tokens && { tokens }) });
  } catch (error) {
    if (error instanceof ApiError)
      throw new Refusal('--host-token wants a bot token: digits, a colon, and at least 20 characters');
    const code = detail(error, 'code');
    if (code === 'EADDRINUSE')
      throw new Refusal(`port ${port} is in use; choose another, or 0 for any free one`);
    if (code === 'EACCES') throw new Refusal(`port ${port} may not be listened on; choose one above 1023`);
    throw error;
  }
}

const detail = (error: unknown, name: 'code' | 'message'): unknown =>
  isRecord(error) ? error[name] : undefined;

function introduction(sandbox: Sandbox, { tokens }: Options): string {
  const { apiRoot } = sandbox;
  // A token given to us may be a real one: it is not repeated.
  const token = tokens ? '<the token you gave>' : SANDBOX_TOKEN;
  return `A Bot API server without Telegram behind it listens at ${apiRoot}

Point a bot to it:
  TELEGRAM_API_ROOT=${apiRoot} BOT_TOKEN='${token}' lastcall run my-bot.js
  or in a program of your own: new Telegraf(token, { telegram: { apiRoot: '${apiRoot}' } })
Write to the bot:
  curl -d '{"text": "hello"}' ${apiRoot}/sandbox/updates
See what was said and answered, beside the lines that appear here:
  curl ${apiRoot}/sandbox/chats
Make trouble (here: a proxy's 502 pages for 10 s), and end it early:
  curl -d '{"kind": "html", "status": 502, "forMs": 10000}' ${apiRoot}/sandbox/faults
  curl -X DELETE ${apiRoot}/sandbox/faults

It does not model:
${NOT_MODELLED.map((item) => `  - ${item}`).join('\n')}

Ctrl-C ends it. What bots send:
`;
}

/** One line a message, whatever is in it. */
function line(bot: number, message: Message): string {
  const content = message.text ?? message['caption'] ?? `(${kindOf(message)})`;
  return `bot ${bot} to chat ${message.chat.id}: ${`${content}`.replaceAll(/\p{Cc}+/gu, ' ')}\n`;
}

const kindOf = (message: Message): string =>
  Object.keys(message).find(
    (field) => !['message_id', 'from', 'chat', 'date', 'reply_to_message', 'reply_markup'].includes(field),
  ) ?? 'message';

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
