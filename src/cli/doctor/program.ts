/**
 * Checks the bot's file: whether it is there, compiles, and does what lastcall cannot take over. Only its text is looked at, and
 * that of no file that it imports; what is found in the text is named with its line.
 */
import { type Finding, orWell, shellWord, skipped, warning, well, wrong } from './finding.js';
import type { ProgramFacts } from './program-facts.js';

/** Libraries that poll by themselves, and are not Telegraf. */
const libraries: Readonly<Record<string, string>> = {
  grammy: 'grammY',
  'node-telegram-bot-api': 'node-telegram-bot-api',
  telebot: 'TeleBot',
  gramio: 'GramIO',
  puregram: 'puregram',
};

const moveToTelegraf4 = 'move the bot to Telegraf 4, or run it without lastcall';

/** @param isSupervised whether a supervisor runs it, under which the example bot is refused */
export function checkProgram(facts: ProgramFacts, isSupervised: boolean): readonly Finding[] {
  const { named, file } = facts;
  if (named === undefined) return [noneNamed(isSupervised)];
  if (file === undefined)
    return [
      wrong('file', `There is no file ${named}.`, {
        cure: 'check its path; it starts at the folder in which the bot is run (WorkingDirectory=, cwd)',
      }),
    ];
  const found = [...checkLanguage(facts), ...checkLibrary(facts), ...checkText(facts)];
  const telegraf = facts.telegraf ? `Telegraf ${facts.telegraf.version}` : "lastcall's own Telegraf";
  return [...orWell(found, 'file', `${named}, ${telegraf}`), ...checkCopies(facts)];
}

function noneNamed(isSupervised: boolean): Finding {
  const text = 'No bot is named, so lastcall’s example bot would run, which echoes what people write';
  const cure = {
    cure: 'name it, here and in the unit or the ecosystem file:',
    commands: ['lastcall doctor bot.js'],
  };
  if (isSupervised) return wrong('file', `${text}; under a supervisor that is refused (78).`, cure);
  return warning('file', `${text}.`, cure);
}

function checkLanguage({ file = '', mistake, runsTypeScript, hasLoader }: ProgramFacts): readonly Finding[] {
  if (mistake !== undefined)
    return [
      wrong('file', `${file} does not compile: ${mistake.text}.`, {
        cure: 'correct it; this shows the line:',
        commands: [mistake.command],
      }),
    ];
  if (!/\.([cm]?ts|tsx|jsx)$/.test(file) || hasLoader) return [];
  if (runsTypeScript && !/x$/.test(file)) return [];
  return [
    wrong('file', `Node ${process.versions.node} needs a loader for ${file}, and NODE_OPTIONS names none.`, {
      cure: 'install one and name it, in the environment of the bot as well; or compile the file and run what comes of that:',
      commands: ['npm install tsx', `NODE_OPTIONS='--import tsx' lastcall run ${shellWord(file)}`],
    }),
  ];
}

const importOf = (name: string): RegExp =>
  new RegExp(`(?:from|import|require\\()\\s*\\(?\\s*(['"])${name}(?:/[^'"]*)?\\1`);

function checkLibrary({ source, telegraf, file }: ProgramFacts): readonly Finding[] {
  const importsTelegraf = importOf('telegraf').test(source);
  if (importsTelegraf && !telegraf)
    return [
      wrong('file', `${file} imports telegraf, which is not installed there.`, {
        cure: 'install it beside the bot:',
        commands: ['npm install telegraf@4'],
      }),
    ];
  if (importsTelegraf && telegraf && !telegraf.version.startsWith('4.'))
    return [
      wrong(
        'file',
        `${file} uses Telegraf ${telegraf.version}; lastcall takes over Telegraf 4 only, and refuses others (78).`,
        {
          cure: moveToTelegraf4,
          commands: ['npm install telegraf@4'],
        },
      ),
    ];
  if (importsTelegraf) return [];
  return Object.entries(libraries)
    .filter(([name]) => importOf(name).test(source))
    .map(([, title]) =>
      wrong('file', `${file} uses ${title}; lastcall takes over Telegraf 4 only, and refuses others (78).`, {
        cure: moveToTelegraf4,
      }),
    );
}

interface Trait {
  readonly pattern: RegExp;
  /** What has to stand in the call with which the pattern begins, too. */
  readonly inside?: RegExp;
  readonly make: typeof wrong;
  readonly text: string;
  readonly cure: string;
}

/** What can be told from a text, and may be another thing than it looks like in all but the first. */
const traits: readonly Trait[] = [
  {
    pattern: /\.launch\(\s*\{[^}]*\bwebhook\s*:/,
    make: wrong,
    text: 'launches with a webhook, which is refused (78): lastcall polls',
    cure: 'call launch() without it, or run this bot without lastcall',
  },
  {
    pattern: /\.(?:createWebhook|webhookCallback|startWebhook)\(/,
    make: warning,
    text: 'serves a webhook; updates that come that way pass by lastcall, and none come while it polls',
    cure: 'leave it out where lastcall runs the bot',
  },
  {
    pattern: /\.(?:setWebhook)\(/,
    make: warning,
    text: 'sets a webhook, which takes the updates from the polls',
    cure: 'leave it out where lastcall runs the bot',
  },
  {
    pattern: /\bgetUpdates\b/,
    make: warning,
    text: 'seems to fetch updates by itself, which is refused (78) in a program that launches no bot of Telegraf 4',
    cure: 'let bot.launch() do it',
  },
  {
    pattern: /\bcluster\.fork\(|\bnew Worker\(|\bfork\(\s*__filename/,
    make: warning,
    text: 'starts workers; a bot that is launched in one is refused (78)',
    cure: 'launch the bot in the first process, or run the file of the worker itself',
  },
  {
    pattern: /process\s*\.\s*(?:once|on)\(\s*['"]SIG(?:TERM|INT)['"]/,
    // Not where it may be the answer to a failure: `try { …; process.exit(0) } catch { process.exit(1) }`.
    inside: /^(?![\s\S]*(?:\bcatch\b|process\.exit\(\s*0?\s*\)))[\s\S]*process\.exit\(\s*[1-9]/,
    make: warning,
    text: 'ends with process.exit(n) at a stop signal, so that each stop, also a clean one, has that exit code',
    cure: 'write process.exit(0), or leave it out: lastcall ends the process',
  },
  {
    pattern: /process\s*\.\s*on\(\s*['"]uncaughtException['"]/,
    make: skipped,
    text: 'listens for uncaught exceptions itself, and so decides whether one ends the run',
    cure: 'if it goes on after one, the state of the program may be broken: let it exit, so that it is restarted',
  },
];

function checkText({ source, file }: ProgramFacts): readonly Finding[] {
  const code = withoutComments(source);
  return traits.flatMap(({ pattern, inside, make, text, cure }) => {
    const at = [...code.matchAll(new RegExp(pattern, 'g'))].find(
      ({ index }) => inside === undefined || inside.test(callAt(code, index)),
    );
    if (!at) return [];
    const line = code.slice(0, at.index).split('\n').length;
    return [make('file', `${file}:${line} ${text}.`, { cure })];
  });
}

/** The text of a call from its name to the parenthesis that closes it. Parentheses in texts count, too. */
function callAt(code: string, from: number): string {
  let depth = 0;
  for (let at = code.indexOf('(', from); at >= 0 && at < code.length; at++) {
    if (code[at] === '(') depth++;
    if (code[at] === ')' && --depth === 0) return code.slice(from, at);
  }
  return code.slice(from);
}

/** Blanks out comments, so that lines keep their numbers. A `//` in a text is left, as that of a URL is behind a colon. */
const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, ' '));

function checkCopies({ copies }: ProgramFacts): readonly Finding[] {
  const versions = new Set(copies.map(({ version }) => version));
  if (copies.length < 2) return [];
  const listed = copies.map(({ version, folder }) => `${version} in ${folder}`).join(', ');
  if (versions.size === 1 && copies.length === 2)
    return [well('telegraf', `2 copies of the same version: ${listed}`)];
  return [
    warning(
      'telegraf',
      `There are ${copies.length} copies of Telegraf around the bot: ${listed}. Errors and scenes of one are strangers to another (instanceof).`,
      {
        cure: 'have all packages share one:',
        commands: ['npm ls telegraf', 'npm dedupe'],
      },
    ),
  ];
}
