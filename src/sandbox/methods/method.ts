/** What a method is: the parameters that it reads, and what it does with them. */
import { type ApiResponse, success } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import type { Message } from '../message.js';
import type { CallParameters } from '../parameters.js';
import type { AnsweringCall } from '../state/update-log.js';
import { namesOf, readAll, type Schema, type Values } from './parameter.js';

/** The call that a method serves. */
export interface MethodCall {
  readonly account: BotAccount;
  readonly parameters: CallParameters;
  /** The time of the sandbox's clock. */
  readonly nowMs: number;
  readonly call: AnsweringCall;
  /** Called for each message that the bot sends. */
  readonly onMessage: (message: Message) => void;
}

export interface Method {
  /** The names of the parameters that the sandbox reads. */
  readonly parameters: readonly string[];
  /** Executes a call. Throws an ApiError to respond with an error. */
  readonly execute: (call: MethodCall) => ApiResponse;
}

/** Methods by name. */
export type Methods = Readonly<Record<string, Method>>;

/** A result with a description, which only few methods have. */
export class Described {
  readonly result: unknown;
  readonly description: string;

  constructor(result: unknown, description: string) {
    this.result = result;
    this.description = description;
  }
}

/** Creates a method from its parameters and a function that returns its result. */
export function method<S extends Schema>(
  schema: S,
  run: (values: Values<S>, call: MethodCall) => unknown,
): Method {
  const read = readAll(schema);
  return {
    parameters: namesOf(schema),
    execute: (call) => {
      const result = run(read(call.parameters, call.account), call);
      return result instanceof Described ? success(result.result, result.description) : success(result);
    },
  };
}

/** Creates a method that is recorded and responds `true`, without any other effect. */
export const acknowledged = (schema: Schema = {}): Method => method(schema, () => true);
