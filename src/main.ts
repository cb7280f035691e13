#!/usr/bin/env node
/**
 * The entry point: runs the command that the arguments name, and exits with its code. Signal listeners are installed
 * before the rest is loaded, so that a stop signal during loading is not lost. Only this file calls process.exit.
 */
import { listenForSignals } from './host/signals.js';

// Kept here because process.exit is replaced while an unchanged bot program runs.
const exit = process.exit.bind(process);
const signals = listenForSignals((signal, listener) => process.on(signal, listener), exit);

const { runCommand } = await import('./cli/command.js');
exit(await runCommand(process.argv.slice(2), signals));
