/** `lastcall sandbox`: runs the local Bot API server with its page, and a bot beside it if one is named. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { aborted } from '../abort.js';
import { ExitCode } from '../exit-code.js';
import { nameIn } from '../request-origin.js';
import { ApiError } from '../sandbox/api-response.js';
import { controlHelp } from '../sandbox/control/routes.js';
import { faultHelp } from '../sandbox/fault-rule-parser.js';
import { contentOf, type Message } from '../sandbox/message.js';
import { NOT_MODELLED } from '../sandbox/not-modelled.js';
import { type Sandbox, type SandboxOptions, startSandbox } from '../sandbox/sandbox.js';
import { sandboxToken } from '../sandbox/sandbox-token.js';
import { codeOf } from '../system-error.js';
import type { CommandContext, ProcessContext } from './command.js';
import { SandboxBotProcess } from './sandbox-bot.js';
import { splitAtDashes } from './split-arguments.js';

/** The default port of Telegram's open-source Bot API server. */
const DEFAULT_PORT = 8081;

const USAGE = `usage: lastcall sandbox [--port N] [--host-token TOKEN]… [--host-name NAME]… [--say TEXT] [-- FILE [ARGUMENTS]]
  --port N            listen on 127.0.0.1:N (default ${DEFAULT_PORT}; 0: any free port)
  --host-token TOKEN  accept only this token; may be repeated (default: accept every well-formed token)
  --host-name NAME    another name by which bots reach this server, through a proxy, say; may be repeated
  --say TEXT          send this message to the first bot at the start
  -- FILE             run the bot in FILE beside it, connected to it; its page can stop, kill and restart the bot
  --help              print this, with the control API and all faults
`;

/** Describes the control API, which listens on the same port. */
const CONTROL_API = `The control API, for curl and tests (fields of the query or of a JSON body; bot: an id or a token, default the first):
${controlHelp()}

Faults, each a kind with its fields:
${faultHelp()}
  All but refuse and rival take: method (a name or a list), bot (an id), after (so many pass first), times (so many
  fail; 0: only those under way), fraction (a share from 0 to 1), forMs (ends by itself). refuse takes forMs; rival
  takes bot and forMs; assorted takes of, a list of faults.
`;

type SandboxContext = CommandContext & Partial<Pick<ProcessContext, 'signals'>>;

/** Runs until the signal aborts. Resolves to the exit code: 0, or 78 with an error on stderr if it cannot start. */
export async function sandbox(context: SandboxContext): Promise<number> {
  const { args, stdout, stderr, signal } = context;
  try {
    const { before, after: command } = splitAtDashes(args);
    const { say, help, ...options } = parse(before);
    if (help) {
      stdout.write(`${USAGE}\n${CONTROL_API}`);
      return ExitCode.clean;
    }
    const server = await start(options);
    stdout.write(
      command.length > 0 ? shortIntroduction(server, command) : introduction(server, options.tokens),
    );
    server.onMessage((message, bot) => stdout.write(line(bot, message)));
    if (say !== undefined) server.say(say);
    if (command.length > 0) await runBot(server, command, context);
    else await aborted(signal);
    await server.close();
    return ExitCode.clean;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(`lastcall sandbox: ${error.message}\n${USAGE}`);
    return ExitCode.configuration;
  }
}

/** Runs a bot beside the server until the signal aborts and the bot has ended. */
async function runBot(
  server: Sandbox,
  command: readonly string[],
  { env, stdout, stderr, signal, signals }: SandboxContext,
): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'lastcall-sandbox-'));
  try {
    const bot = new SandboxBotProcess({
      sandbox: server,
      command,
      stateDir,
      env,
      stdout,
      stderr,
    });
    server.attachProcess(bot);
    await aborted(signal);
    signals?.subscribe({ stop() {}, hasten: (name) => bot.signal(name) });
    // Ctrl-C in a terminal also reaches the bot, which counts the same signal twice within 500 ms as one.
    await bot.close('SIGINT');
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** An error in the arguments, or a port that cannot be used. */
class UsageError extends Error {}

function parse(args: readonly string[]) {
  const { values } = parsed(args);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`--port must be a whole number from 0 to 65535, not '${values.port}'`);
  const hostNames = values['host-name'];
  for (const name of hostNames ?? [])
    if (name === '' || nameIn(name) !== name.toLowerCase())
      throw new UsageError(`--host-name must be a name without a port, such as bots.internal, not '${name}'`);
  return { port, tokens: values['host-token'], hostNames, say: values.say, help: values.help };
}

function parsed(args: readonly string[]) {
  const options = {
    port: { type: 'string', default: `${DEFAULT_PORT}` },
    'host-token': { type: 'string', multiple: true },
    'host-name': { type: 'string', multiple: true },
    say: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    return parseArgs({ args: [...args], options });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : `${error}`);
  }
}

async function start(options: SandboxOptions & { readonly port: number }): Promise<Sandbox> {
  const { port } = options;
  try {
    return await startSandbox({ ...options, ...tokenAt(port) });
  } catch (error) {
    if (error instanceof ApiError)
      throw new UsageError('--host-token must be a bot token: digits, a colon, and at least 20 characters');
    const code = codeOf(error);
    if (code === 'EADDRINUSE')
      throw new UsageError(`port ${port} is in use; choose another port, or 0 for any free port`);
    if (code === 'EACCES')
      throw new UsageError(`this user may not listen on port ${port}; choose a port above 1023`);
    throw error;
  }
}

/** At each port the first bot has another id, so that several sandboxes can be used side by side; and at a restart the same. */
function tokenAt(port: number): { readonly token?: string } {
  if (port === 0) return {};
  return { token: sandboxToken(port === DEFAULT_PORT ? 0 : port) };
}

function shortIntroduction({ apiRoot }: Sandbox, command: readonly string[]): string {
  return `A local Bot API server, not connected to Telegram, listens at ${apiRoot} and runs ${command[0]}

Chat with the bot, break its network and watch each update, in a browser:
  ${apiRoot}/

Press Ctrl-C to stop both. The log of the bot, and its messages:
`;
}

function introduction(
  { apiRoot, token: firstToken }: Sandbox,
  tokens: readonly string[] | undefined,
): string {
  // A token from the command line may be a real token, so it is not printed.
  const token = tokens ? '<the token you gave>' : firstToken;
  return `A local Bot API server, not connected to Telegram, listens at ${apiRoot}

Open it in a browser, to chat with a bot, break its network and watch each update:
  ${apiRoot}/
Connect a bot:
  TELEGRAM_API_ROOT=${apiRoot} BOT_TOKEN='${token}' lastcall run my-bot.js
  or in your own program: new Telegraf(token, { telegram: { apiRoot: '${apiRoot}' } })
Send a message to the bot:
  curl -d '{"text": "hello"}' ${apiRoot}/sandbox/updates
Press a button below its newest message, by the text on it:
  curl -d '{"press": "Yes"}' ${apiRoot}/sandbox/updates
See all messages and answers, and the way of each update:
  curl ${apiRoot}/sandbox/chats
  curl ${apiRoot}/sandbox/updates
Inject a fault (here: 502 pages of a proxy for 10 s), and end it early:
  curl -d '{"kind": "html", "status": 502, "forMs": 10000}' ${apiRoot}/sandbox/faults
  curl -X DELETE ${apiRoot}/sandbox/faults

Not modelled:
${NOT_MODELLED.map((item) => `  - ${item}`).join('\n')}

Press Ctrl-C to stop. Messages from bots:
`;
}

/** Formats a message as one line. */
function line(bot: number, message: Message): string {
  const content =
    message.text ?? message['caption'] ?? `(${Object.keys(contentOf(message))[0] ?? 'message'})`;
  return `bot ${bot} to chat ${message.chat.id}: ${`${content}`.replaceAll(/\p{Cc}+/gu, ' ')}\n`;
}
