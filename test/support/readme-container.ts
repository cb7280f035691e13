/** What the README's section on containers says, as data: its Dockerfile, its command for Docker, its manifest. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './folder.js';

const readme = readFileSync(join(repository, 'README.md'), 'utf8');
const [, afterTitle = ''] = readme.split('\n### In a container\n');
const [section = ''] = afterTitle.split(/\n##+ /);

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(section)?.[1];
  if (found === undefined) throw new Error(`the section on containers has no ${language}`);
  return found;
}

/** The first group of the pattern. */
function part(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`there is no ${pattern} in:\n${text}`);
  return found;
}

const strings = (json: string): string[] => JSON.parse(json);

const file = block('dockerfile');
export const dockerfile = {
  node: Number(part(file, /^FROM node:(\d+)-slim$/m)),
  workdir: part(file, /^WORKDIR (.+)$/m),
  /** What it runs besides npm. */
  runs: [...file.matchAll(/^RUN (?!npm )(.+)$/gm)].map(([, command = '']) => command),
  user: part(file, /^USER (.+)$/m),
  env: Object.fromEntries(
    part(file, /^ENV (.+)$/m)
      .split(' ')
      .map((pair): [string, string] => [part(pair, /^([^=]+)=/), part(pair, /=(.*)$/)]),
  ),
  healthcheck: strings(part(file, /^HEALTHCHECK .*CMD (\[.*\])$/m)),
  command: strings(part(file, /^CMD (\[.*\])$/m)),
};

const docker = part(block('sh'), /^(docker run .*)$/m);
export const dockerRun = {
  init: / --init /.test(docker),
  stopTimeoutS: Number(part(docker, / --stop-timeout (\d+) /)),
  volumeAt: part(docker, / --volume [\w-]+:(\S+) /),
};

const yaml = block('yaml');
export const manifest = {
  strategy: part(yaml, /strategy: \{ type: (\w+) \}/),
  replicas: Number(part(yaml, /replicas: (\d+)/)),
  graceS: Number(part(yaml, /terminationGracePeriodSeconds: (\d+)/)),
  sharesPids: /shareProcessNamespace: true/.test(yaml),
  lastcallGrace: part(yaml, /\{ name: LASTCALL_GRACE, value: (\w+) \}/),
  probe: part(yaml, /exec: \{ command: \[(.*?)\] \}/).split(', '),
  volumeAt: part(yaml, /mountPath: (\S+) \}/),
  claim: /persistentVolumeClaim/.test(yaml),
};

/** The command of a container in which pm2 runs the bot. */
export const pm2Command = strings(part(section, /`CMD (\["pm2-runtime".*?\])`/));
