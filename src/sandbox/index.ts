/** `lastcall/sandbox`: a local Bot API server with people, for tests of one's own bot. */
export type { Duration } from '../duration.js';
export type { Call } from './calls.js';
export type { FaultRule } from './fault-rule.js';
export type { RunnableBot } from './library/bot-run.js';
export { createSandbox } from './library/create-sandbox.js';
export type { Expected } from './library/expected.js';
export type { Group, GroupOptions } from './library/group.js';
export type { SandboxOptions } from './library/options.js';
export type { MessageRef, Participant } from './library/participant.js';
export type { Person, PersonOptions } from './library/person.js';
export { SandboxError, type SandboxErrorCode } from './library/sandbox-error.js';
export type { SeenFile, SeenMessage } from './library/seen-message.js';
export type { Fault, RunningBot, SandboxClock, TestSandbox as Sandbox } from './library/test-sandbox.js';
export type { FileToUpload } from './library/upload.js';
export type { Within } from './library/waits.js';
