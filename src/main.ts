#!/usr/bin/env node
/**
 * The entry point: runs the command that the arguments name, and ends the process with its exit code. Signal listeners are
 * installed before the rest is loaded, so that a stop signal during loading is not lost.
 */
import { ProcessEnd } from './host/process-end.js';
import { listenForSignals } from './host/signals.js';

const end = new ProcessEnd(process);
const signals = listenForSignals(
  (signal, listener) => process.on(signal, listener),
  (exitCode) => end.now(exitCode),
);

const { runCommand } = await import('./cli/command.js');
await end.soon(await runCommand(process.argv.slice(2), signals));
