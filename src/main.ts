#!/usr/bin/env node
/**
 * The process: signals first, then arguments → command → exit code. The rest is loaded after the signal handlers
 * are in place, so that a stop that comes while it loads is remembered; the only process.exit is here.
 */
import { listenForSignals } from './host/signals.js';

// Taken before any bot program is loaded: while one is run unchanged, process.exit means something else.
const exit = process.exit.bind(process);
const signals = listenForSignals((signal, listener) => process.on(signal, listener), exit);

const { runCommand } = await import('./cli/command.js');
exit(await runCommand(process.argv.slice(2), signals));
