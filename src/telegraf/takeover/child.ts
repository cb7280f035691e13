/** What worker threads and child processes of a program run first. Built into a file of its own, `child.cjs`. */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ExitCode } from '../../exit-code.js';
import { tryOr } from '../../thrown.js';
import { ADDRESS, askBeforePolls } from './child-question.js';

const { [ADDRESS]: address, NODE_OPTIONS: nodeOptions = '' } = process.env;

// What the children of this process do is the affair of this process.
delete process.env[ADDRESS];
const givenOptions = nodeOptions.replace(/ ?--require="[^"]*child\.cjs"$/, '');
if (givenOptions === '') delete process.env['NODE_OPTIONS'];
else process.env['NODE_OPTIONS'] = givenOptions;

// Another lastcall polls in good order.
const isLastcall =
  tryOr(() => realpathSync(process.argv[1] ?? ''), '') === join(dirname(__filename), 'main.js');
if (address !== undefined && !isLastcall) askBeforePolls(address, () => process.exit(ExitCode.configuration));
