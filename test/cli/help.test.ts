import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import type { ProcessContext } from '../../src/cli/command.js';
import { commandNames, commands } from '../../src/cli/commands.js';
import { completion } from '../../src/cli/completion.js';
import { help, helpOn } from '../../src/cli/help.js';
import { settingKeys, settings } from '../../src/config/schema.js';

/** What a command prints. */
async function printed(
  call: (context: ProcessContext) => Promise<number>,
  ...args: string[]
): Promise<string> {
  let text = '';
  const stdout = { write: (chunk: string) => (text += chunk) };
  await call({ args, stdout, commands } as unknown as ProcessContext);
  return text;
}

const expectNarrow = (text: string): void => {
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
};

describe('lastcall help', () => {
  it('lists the commands in a line each', async () => {
    const text = await printed(help);
    for (const name of commandNames) expect(text).toMatch(new RegExp(`^  lastcall ${name} +\\S`, 'm'));
    expect(text.split('\n').length).toBeLessThan(commandNames.length + 8);
    expectNarrow(text);
  });

  it('describes the settings', async () => {
    const text = await printed(help, 'settings');
    for (const key of settingKeys) expect(text).toMatch(new RegExp(`^  ${settings[key].name}\\b`, 'm'));
  });

  it.each(commandNames)('describes %s: usage, options and examples of its own', async (name) => {
    const text = await printed((context) => helpOn(name, context));
    expect(text).toMatch(new RegExp(`lastcall ${name}\\b`));
    for (const option of Object.keys(commands[name]?.options ?? {})) expect(text).toContain(`--${option}`);
    if (commands[name]?.helpsItself) return;
    expect(text.split('\n').length).toBeLessThan(40);
    expectNarrow(text);
  });

  it('refuses to describe what there is not', async () => {
    await expect(printed(help, 'rum')).rejects.toMatchObject({ code: 'COMMAND_MISUSED' });
  });
});

/** What bash would suggest. */
async function suggested(...words: string[]): Promise<string[]> {
  const script = `${await printed(completion, 'bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }
_lastcall; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['-c', script, 'bash', 'lastcall', ...words], {
    encoding: 'utf8',
    cwd: '/',
  });
  return output.trimEnd().split('\n');
}

describe('lastcall completion bash', () => {
  it('suggests commands, their words and options, and settings', async () => {
    expect(await suggested('st')).toEqual(['status']);
    expect(await suggested('')).toEqual(commandNames);
    expect(await suggested('inbox', 're')).toEqual(['retry']);
    expect(await suggested('status', '--w')).toEqual(['--watch']);
    expect(await suggested('run', '--stop-')).toEqual(['--stop-timeout', '--stop-after']);
    expect(await suggested('run', '--no-drop')).toEqual(['--no-drop-pending']);
    expect(await suggested('help', 'se')).toEqual(['settings']);
    expect(await suggested('run', '/et')).toEqual(['/etc']);
    expect(await suggested('probe', '--')).toEqual(['--help']);
  });

  it('offers no flag for a secret', async () => {
    expect(await printed(completion, 'bash')).not.toMatch(/--bot-token(?!-file)/);
  });
});

describe('lastcall completion zsh', () => {
  it('knows all commands, with what they do', async () => {
    const text = await printed(completion, 'zsh');
    for (const name of commandNames) expect(text).toContain(`'${name}:`);
    expect(text).toContain('compdef _lastcall lastcall');
  });

  it('is for these two shells', async () => {
    await expect(printed(completion, 'fish')).rejects.toMatchObject({ code: 'COMMAND_MISUSED' });
  });
});
