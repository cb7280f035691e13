/** Holds README.md and .env.example to the code. `UPDATE_README=1` writes the README's generated parts. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commandNames, commands } from '../src/cli/commands.js';
import { render as renderDoctor } from '../src/cli/doctor/render.js';
import { LocalTime } from '../src/cli/history/local-time.js';
import { historyInWords } from '../src/cli/history/text.js';
import { countsInWords, table } from '../src/cli/inbox/format.js';
import { ownerInWords } from '../src/cli/inbox/owner.js';
import type { SeenBot } from '../src/cli/status/look.js';
import { render } from '../src/cli/status/render.js';
import { readSettings } from '../src/config/load.js';
import { flagOf, type SettingKey, settingKeys, settings } from '../src/config/schema.js';
import { ExitCode } from '../src/exit-code.js';
import { recommendedKillAfterMs } from '../src/host/supervisor.js';
import { orderKey, seq, updateId } from '../src/inbox/ids.js';
import type { SeenUpdate } from '../src/inbox/seen-update.js';
import { rulesFile } from '../src/observe/metrics/alert-rules.js';
import { NOT_MODELLED } from '../src/sandbox/not-modelled.js';
import { busyReport } from './support/busy-report.js';
import { eventsMarkdown, metricsMarkdown, settingsMarkdown } from './support/readme-tables.js';
import { sampleGroups } from './support/sample-doctor.js';
import { week } from './support/week.js';

const root = join(import.meta.dirname, '..');
const readmeFile = join(root, 'README.md');

/** What stands between `<!-- name -->` and `<!-- /name -->`. */
const generated: Readonly<Record<string, () => string>> = {
  settings: settingsMarkdown,
  events: eventsMarkdown,
  inbox: inboxMarkdown,
  status: statusMarkdown,
  doctor: () => doctorMarkdown(),
  metrics: metricsMarkdown,
  'metrics-rules': () => `\`\`\`yaml\n${rulesFile()}\`\`\``,
  history: historyMarkdown,
  sandbox: () => NOT_MODELLED.map((item) => `- ${item}`).join('\n'),
};

const ids = (number: number, id: number, key: string) => ({
  seq: seq(number),
  updateId: updateId(id),
  key: orderKey(key),
});

/** A list as `lastcall inbox` prints it. */
function inboxMarkdown(): string {
  const now = Date.UTC(2026, 0, 1);
  const common = {
    ...{ kind: 'message', deaths: 0, cuts: 0, notBeforeMs: undefined },
    ...{ why: undefined, error: undefined, text: () => undefined },
  };
  const dead = { ...common, state: 'dead', deaths: undefined, cuts: undefined } as const;
  const putBack = { notBeforeMs: now + 12_000, atMs: now - 65_000, attempts: 3 };
  const updates: readonly SeenUpdate[] = [
    { ...common, ...ids(2, 627819794, '202'), state: 'running', atMs: now - 12_000, attempts: 1 },
    { ...common, ...ids(3, 627819795, '202'), state: 'waiting', atMs: now - 11_200, attempts: 0 },
    { ...common, ...ids(5, 627819796, '303'), ...putBack, state: 'waiting' },
    {
      ...dead,
      ...{ ...ids(1, 627819793, '101'), atMs: now - 3_720_000, attempts: 1 },
      ...{ why: 'failed', error: 'TypeError: no such order\n    at somewhere' },
    },
    { ...dead, ...ids(4, 627819820, '-100303'), atMs: now - 95_000, attempts: 3, why: 'died' },
  ];
  const counts = countsInWords({ running: 1, interrupted: 0, waiting: 2, dead: 2 });
  const head = `${counts} in the inbox of bot 123456789. ${ownerInWords({ kind: 'local', runId: '' })}`;
  return `\`\`\`\n${head}\n\n${table(updates, now)}\`\`\``;
}

/** What `lastcall status` prints for a bot at work. */
function statusMarkdown(): string {
  const key = '123456789';
  const seen: SeenBot = {
    ...{ key, folder: `/var/lib/lastcall/${key}`, source: 'process', inboxBytes: 1_230_000 },
    restartsToday: 2,
    reports: [busyReport],
  };
  const found = { bots: [], looked: [], places: [], closed: [] };
  return `\`\`\`\n${render([seen], found, { colours: false, nowMs: 0 })}\`\`\``;
}

/** What `lastcall doctor` prints where two things are not well. */
const doctorMarkdown = (): string =>
  `\`\`\`\n${renderDoctor(sampleGroups, { colours: false, tookMs: 412, call: 'npx lastcall' })}\`\`\``;

/** What `lastcall history` prints of a bot whose nights are not all quiet. */
function historyMarkdown(): string {
  const bot = week();
  const shown = [...bot.runs.slice(1, 5), ...bot.runs.slice(-2)];
  return `\`\`\`\n${historyInWords(bot, shown, new LocalTime('UTC'))}\`\`\``;
}

const sectionOf = (name: string) => new RegExp(`(?<=<!-- ${name} -->\n)[\\s\\S]*?(?=<!-- /${name} -->)`);

if (process.env['UPDATE_README']) {
  const written = Object.entries(generated).reduce(
    (text, [name, markdown]) => text.replace(sectionOf(name), () => `${markdown()}\n`),
    readFileSync(readmeFile, 'utf8'),
  );
  writeFileSync(readmeFile, written);
}

const readme = readFileSync(readmeFile, 'utf8');
const blocks = [...readme.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
const spans = [...readme.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(
  ([, code = '']) => code,
);
/** Each line of a block, and each piece of code in the text. */
const code = [...blocks.flatMap((block) => block.split('\n')), ...spans];

const units = ['lastcall.service', 'lastcall@.service'].map((name) =>
  readFileSync(join(root, 'systemd', name), 'utf8'),
);

const ecosystem = readFileSync(join(root, 'ecosystem.config.js'), 'utf8');
/** As pm2 comes to see it. */
const [app] = JSON.parse(
  execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      "const { apps } = await import('./ecosystem.config.js'); console.log(JSON.stringify(apps))",
    ],
    { cwd: root, encoding: 'utf8' },
  ),
);

const found = (pattern: RegExp, texts: readonly string[]): string[] =>
  texts.flatMap((text) => [...text.matchAll(pattern)].map(([, match = '']) => match));

describe('README.md', () => {
  it.each(Object.keys(generated))('says of the %s what the code says', (name) => {
    expect(sectionOf(name).exec(readme)?.[0]).toBe(`${generated[name]?.()}\n`);
  });

  it('knows every exit code', () => {
    const section = /^## Exit codes\n([\s\S]*?)(?=^## )/m.exec(readme)?.[1] ?? '';
    const rows = [...section.matchAll(/^\| (\d[^|]*?) +\|.*\| ([^|]*) \|$/gm)];
    expect(rows.map(([, exitCode]) => exitCode)).toEqual([...Object.values(ExitCode).map(String), '128 + n']);
    const noRestart = rows.filter(([, , restart]) => restart === 'no').map(([, exitCode]) => exitCode);
    expect(noRestart).toEqual([`${ExitCode.configuration}`]);
  });

  it('names no file that there is none of', () => {
    const inside = /(?:^|[\s`(])(?:node_modules\/lastcall\/)?((?:src|test|systemd|\.ci)\/[\w./@-]*\w)/g;
    const built = found(/(?:^|[\s/])dist\/([\w./-]+)\.js\b/g, code).map((file) => `src/${file}.ts`);
    const atTop = found(/^(\.[\w-]+\.\w+|[\w-]+\.(?:md|json))$/g, spans);
    const links = found(/\]\((?!https?:|#)([^)#\s]+)/g, [readme]);
    const named = [...found(inside, [readme]), ...built, ...atTop, ...links];
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it('points to no section that there is none of', () => {
    const anchors = found(/^#+ (.+)$/gm, [readme]).map((title) =>
      title
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replace(/ /g, '-'),
    );
    expect(anchors).toEqual(expect.arrayContaining(found(/\]\(#([^)]+)\)/g, [readme])));
  });

  it('shows no npm script that there is none of', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const named = found(/\bnpm (?:run )?(?!ci\b|install\b|run\b)(\w+)/g, code);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['demo', 'test', ...named]));
    expect(named).toEqual(expect.arrayContaining(['demo', 'test', 'start']));
  });

  it('shows no command or flag that there is none of', () => {
    const ofCommands = [
      'help',
      ...Object.values(commands).flatMap(({ options = {} }) => Object.keys(options)),
    ];
    const ofSettings = settingKeys.flatMap((key) => flagOf(settings[key]) ?? []);
    const ours = code.filter((line) => /^(npx )?lastcall |^--|^npm run \w+ -- /.test(line));
    expect(commandNames).toEqual(expect.arrayContaining(found(/(?:^|npx )lastcall (\w+)/g, code)));
    expect([...ofCommands, ...ofSettings]).toEqual(expect.arrayContaining(found(/--([\w-]+)/g, ours)));
  });
});

describe('what supervisors are told', () => {
  it('is not to restart after the one exit code that no restart helps', () => {
    const never = [ExitCode.configuration];
    expect(found(/^RestartPreventExitStatus=(.+)/gm, units).map(Number)).toEqual(units.map(() => never[0]));
    expect(found(/^Restart=(.+)/gm, units)).toEqual(units.map(() => 'always'));
    expect(app.stop_exit_codes).toEqual(never);
    expect(app.autorestart).toBeUndefined();
    // And says so in a comment that names them all.
    for (const text of [units[0] ?? '', ecosystem]) {
      const comment = /Exit codes: [\s\S]*?(?=^ *(?:Restart|stop_exit_codes))/m.exec(text)?.[0] ?? '';
      expect(found(/\b(\d+)\b(?!:)/g, [comment]).map(Number)).toEqual(Object.values(ExitCode));
    }
  });

  it('is to give a start and a stop a little more time than they may take', async () => {
    const { values } = await readSettings({ env: {}, cwd: '/', readFile: async () => '' });
    const { startTimeoutMs = Number.NaN, stopTimeoutMs = Number.NaN } = values;
    expect(app.kill_timeout).toBe(recommendedKillAfterMs(stopTimeoutMs));
    expect(found(/^TimeoutStopSec=(\d+)/gm, units)).toEqual(
      units.map(() => `${recommendedKillAfterMs(stopTimeoutMs) / 1_000}`),
    );
    expect(app.listen_timeout).toBe(recommendedKillAfterMs(startTimeoutMs));
    for (const seconds of found(/^TimeoutStartSec=(\d+)/gm, units))
      expect(Number(seconds) * 1_000).toBeGreaterThanOrEqual(recommendedKillAfterMs(startTimeoutMs));
  });

  it('is where to find the program, and to wait for it', () => {
    expect(app).toMatchObject({
      script: join(root, 'dist', 'main.js'),
      args: ['run'],
      cwd: root,
      exec_mode: 'fork',
      wait_ready: true,
      merge_logs: true,
    });
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(join(root, bin.lastcall)).toBe(app.script);
    // Lines that are JSON and have their time must get none in front.
    expect(Object.keys(app)).not.toEqual(expect.arrayContaining(['time']));
    expect(Object.keys(app)).not.toEqual(expect.arrayContaining(['log_date_format']));
  });
});

describe('.env.example', () => {
  const text = readFileSync(join(root, '.env.example'), 'utf8');
  const lines = [...text.matchAll(/^(#?)([A-Z_]+)=(.*)$/gm)];
  const cwd = '/';

  it('shows every setting that may stand in .env, once, in the order of the help', () => {
    const mayStand = settingKeys.map((key) => settings[key]).filter(({ notInEnvFile }) => !notInEnvFile);
    const rank = (name: string) => mayStand.findIndex((setting) => setting.name === name);
    expect(lines.map(([, , name = '']) => rank(name))).toEqual(mayStand.map((_, index) => index));
  });

  it('sets nothing but the token, which is to be filled in', () => {
    expect(lines.filter(([, comment]) => comment === '').map(([line]) => line)).toEqual(['BOT_TOKEN=']);
  });

  it('shows the defaults: with all "#" taken off, the same settings are in force', async () => {
    const uncommented = text.replace(/^#(?=[A-Z_]+=)/gm, '');
    const shown = await readSettings({ env: {}, cwd, readFile: async () => uncommented });
    const without = await readSettings({ env: {}, cwd, readFile: async () => '' });
    expect(shown).toMatchObject({ problems: [], warnings: [] });
    expect(shown.values).toEqual(without.values);
    const set = settingKeys.filter((key: SettingKey) => shown.sources[key]?.kind === 'env-file');
    expect(set.length).toBeGreaterThan(10);
  });
});
