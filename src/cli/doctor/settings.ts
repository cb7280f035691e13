/** Checks the settings, and where the token comes from. */
import type { Reading } from '../../config/load.js';
import { settingKeys } from '../../config/schema.js';
import { sourceInWords } from '../../config/source.js';
import { maskToken } from '../../token.js';
import { type Finding, orWell, shellWord, skipped, warning, wrong } from './finding.js';

export interface SettingsFacts {
  readonly reading: Reading;
  /** Whose settings they are, in words, where they are not those of this shell. */
  readonly of: string | undefined;
  /** Why the token of the unit cannot be read, if so. */
  readonly closedToken: string | undefined;
  /** The permission bits of `.env`; undefined where there is none. */
  readonly envFileMode: number | undefined;
  /** Whether a bot is named, be it by FILE or by BOT_MODULE; else the example bot would run, which needs a token. */
  readonly isBotNamed: boolean;
}

const READABLE_BY_ALL = 0o004;

export function checkSettings(facts: SettingsFacts): readonly Finding[] {
  return [...checkValues(facts), checkToken(facts), ...checkEnvFile(facts)];
}

function checkValues({ reading, of }: SettingsFacts): readonly Finding[] {
  const { problems, warnings, sources } = reading;
  const set = settingKeys.filter((key) => sources[key]?.kind !== 'default' && sources[key] !== undefined);
  const cure = 'correct it, as `lastcall help settings` describes';
  const found = [
    ...problems.map(({ sentence }) => wrong('settings', `${sentence}.`, { cure })),
    ...warnings.map((sentence) => warning('settings', `${sentence}.`, { cure })),
  ];
  return orWell(
    found,
    'settings',
    `${set.length} set, the others as by default${of === undefined ? '' : `; read as ${of} has them`}`,
  );
}

function checkToken({ reading, closedToken, isBotNamed }: SettingsFacts): Finding {
  const { values, sources, problems } = reading;
  if (values.botToken !== undefined) {
    const from = sources.botToken && sourceInWords(sources.botToken);
    return { check: 'token', verdict: 'well', text: `${maskToken(values.botToken)}, from ${from}` };
  }
  if (closedToken !== undefined)
    return skipped('token', `${closedToken}.`, { cure: 'ask as root:', commands: ['sudo lastcall doctor'] });
  const isTokenWrong = problems.some(({ culprit }) => culprit.startsWith('BOT_TOKEN'));
  if (isTokenWrong) return skipped('token', 'it cannot be used, as said above.');
  if (!isBotNamed)
    return wrong('token', 'There is no bot token, in the environment or in .env.', {
      cure: 'send /newbot to @BotFather in Telegram, or /token for the bot that you have, and put what it gives you into .env:',
      commands: ["echo 'BOT_TOKEN=123456789:…' >> .env && chmod 600 .env"],
    });
  return skipped(
    'token',
    'BOT_TOKEN is not set here. The program may have its token from elsewhere; Telegram is not asked about the bot.',
    { cure: 'to have that checked, too:', commands: ['BOT_TOKEN=123456789:… lastcall doctor'] },
  );
}

function checkEnvFile({ reading, envFileMode = 0 }: SettingsFacts): readonly Finding[] {
  const { envFile } = reading;
  if (!envFile || (envFileMode & READABLE_BY_ALL) === 0) return [];
  if (!Object.keys(envFile.variables).some((name) => /TOKEN|PASSWORD|SECRET|^INBOX$/.test(name))) return [];
  return [
    warning('.env', `Every user of this machine may read ${envFile.path}, which holds secrets.`, {
      cure: 'leave it to its owner:',
      commands: [`chmod 600 ${shellWord(envFile.path)}`],
    }),
  ];
}
