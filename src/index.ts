/** The public API, for bot modules and embedding programs. */
export type { App } from './app.js';
export { loadConfig } from './config/load.js';
export type { Config } from './config/schema.js';
export { type AppOptions, type AppSettings, createApp, handleSignals } from './embed.js';
export { type ErrorCode, LastcallError } from './errors.js';
export { ExitCode } from './exit-code.js';
export type { Deadline } from './lifecycle/deadline.js';
export type { LifecycleEvent } from './lifecycle/events.js';
export type { Hook, HookContext, HookLog } from './lifecycle/hook.js';
export {
  Lifecycle,
  type LifecycleOptions,
  type LifecycleState,
  type RunOptions,
} from './lifecycle/lifecycle.js';
export type { Outcome, Phase } from './lifecycle/outcome.js';
export { type StopKind, StopReason } from './lifecycle/stop-reason.js';
export type { AppEvent, AppEventName } from './logging/app-event.js';
export type { AppLog } from './logging/app-log.js';
export type { BotModule, BotModuleContext } from './set-up-hook.js';
export type { LastcallContext } from './telegraf/context.js';
export type { OrderKeyFunction } from './telegraf/order-key.js';
export { RetryLater } from './telegraf/retry-later.js';
