/** The options of the commands, besides the flags of settings: what each takes, for parsing, help and completion alike. */

export interface Option {
  readonly help: string;
  /** What to call the value, where the option takes one. */
  readonly value?: string;
}

export type Options = Readonly<Record<string, Option>>;

const json = { help: 'print JSON for programs' };
const bot = { value: 'BOT', help: "a bot's id, or the name of its folder" };

export const options = {
  config: { json },
  doctor: {
    json,
    poll: { help: 'poll, too, for up to 10 s, to find another that polls' },
  },
  status: {
    bot,
    json,
    watch: { help: 'show it again every second, until Ctrl-C' },
  },
  history: {
    bot,
    last: { value: 'N', help: 'only the last N runs (default: 20)' },
    since: { value: 'TIME', help: 'only the runs of the last, say, 24h (drawn: 7d)' },
    json,
    html: { value: 'FILE', help: 'draw it as a page, which loads nothing' },
    svg: { value: 'FILE', help: 'draw it as a picture' },
  },
  log: {
    bot,
    level: { value: 'LEVEL', help: 'debug, info, warn, …: the lines of this level and above' },
    for: { value: 'TIME', help: 'how long, such as 5m (default: 5m)' },
  },
  metrics: {
    rules: { help: 'print alert rules for Prometheus (YAML)' },
    dashboard: { help: 'print a dashboard for Grafana (JSON)' },
  },
  inbox: {
    bot,
    json,
    all: { help: 'list: more than the first 20; retry: all dead letters' },
    dead: { help: 'list, export: only dead letters; drop: all of them' },
    waiting: { help: 'list, export: only updates that wait' },
    why: { value: 'REASON', help: 'retry, drop: only what was given up for this reason' },
    since: { value: 'TIME', help: 'retry, drop: only what was given up within, say, 2h' },
    kind: { value: 'KIND', help: 'retry, drop: only this kind of update, such as message' },
  },
  demo: {
    for: { value: 'TIME', help: 'end by itself after this time, such as 10s' },
    page: { help: 'go on though its page stops or kills the bot' },
    hosts: { value: 'N', help: 'N hosts that share an inbox; one is killed, one frozen' },
    database: {
      value: 'URL',
      help: 'their database (default: a PostgreSQL of its own)',
    },
  },
  sandbox: {
    port: { value: 'N', help: 'listen on 127.0.0.1:N (0: any free port)' },
    'host-token': { value: 'TOKEN', help: 'accept only this token; may be repeated' },
    'host-name': { value: 'NAME', help: 'another name of this server for bots; may be repeated' },
    say: { value: 'TEXT', help: 'send this message to the first bot at the start' },
  },
  unit: {
    name: { value: 'UNIT', help: 'the name of the unit, its token and its state (default: lastcall)' },
    user: { value: 'NAME', help: 'who runs the bot (default: the owner of its folder)' },
  },
} as const satisfies Readonly<Record<string, Options>>;

/** The options as `parseArguments` takes them. */
export function accepted<Name extends string>(
  taken: Readonly<Record<Name, Option>>,
): Readonly<Record<Name, 'switch' | 'value'>> {
  const kinds: Partial<Record<Name, 'switch' | 'value'>> = {};
  for (const name in taken) kinds[name] = taken[name].value === undefined ? 'switch' : 'value';
  return kinds as Record<Name, 'switch' | 'value'>;
}
