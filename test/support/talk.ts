/** A person who chats with a bot of a sandbox, and waits for what the chat is to show. */
import type { Message } from '../../src/sandbox/message.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';

const CHAT = 7;
const NAME = 'Ada';
/** Only a failing test waits this long. */
const PATIENCE_MS = 20_000;

export class Talk {
  readonly bot: SandboxBot;
  readonly #sandbox: Sandbox;

  constructor(sandbox: Sandbox, bot: SandboxBot) {
    this.#sandbox = sandbox;
    this.bot = bot;
  }

  say(text: string): void {
    this.bot.say({ chat: CHAT, text, from: NAME });
  }

  /** Presses a button of the newest message that has one of this name, or of the given message. */
  press(button: string, message?: number): void {
    this.bot.press({ chat: CHAT, button, message });
  }

  vote(...options: readonly number[]): void {
    this.bot.vote({ chat: CHAT, options });
  }

  /** Sends a message that is not a text. */
  send(content: object): void {
    this.bot.say({ chat: CHAT, text: '', from: NAME, content });
  }

  /** The messages of the chat as they are now, oldest first. */
  get messages(): readonly Message[] {
    return this.bot.messages(CHAT).map(({ message }) => message);
  }

  get last(): Message | undefined {
    return this.messages.at(-1);
  }

  /** The texts that the bot has written, oldest first. */
  get answers(): readonly (string | undefined)[] {
    return this.messages.filter(({ from }) => from.is_bot).map(({ text }) => text);
  }

  /** What the newest press was answered with. */
  get toast(): unknown {
    return this.bot.queries().at(-1)?.answer?.['text'];
  }

  /** The reply keyboard that is shown below the chat. */
  get keyboard(): object | undefined {
    return this.bot.chats()[0]?.replyMarkup;
  }

  /** Resolves once the expectation holds. Rejects with what it throws when it does not in time. */
  async shows(expectation: () => void): Promise<void> {
    let failure: unknown;
    const holds = () => {
      try {
        expectation();
        return true;
      } catch (error) {
        failure = error;
        return false;
      }
    };
    await this.#sandbox.waitFor(holds, PATIENCE_MS).catch(() => {
      throw failure;
    });
  }
}
