/** Checks the way to the Bot API server: addresses, connections, certificate, clock, proxies. */
import { durationInWords } from '../../words.js';
import type { ApiCall, Family } from './api-call.js';
import { type Finding, skipped, warning, well, wrong } from './finding.js';
import type { NamedProxy, NetworkFacts } from './network-facts.js';

type Route = NetworkFacts['routes'][number];

/** From here on people notice how long an answer takes: two round trips for the connection, one for the call. */
const SLOW_MS = 1_500;
/** Codes with which a system says at once that it has no way for the family, as a host without IPv6 does. */
const noWay = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EHOSTUNREACH']);
const CERTIFICATE_NEAR_MS = 14 * 24 * 60 * 60 * 1_000;
/** The age of updates is told by the clock; NTP keeps it within milliseconds. */
const SKEW_MS = 10_000;
const LARGE_SKEW_MS = 60 * 60 * 1_000;
/** The first Node that takes a proxy from the environment, if NODE_USE_ENV_PROXY=1. */
const FIRST_WITH_ENV_PROXY = 24;

/** @param pollingPid the process of lastcall on this host that gets answers to its polls, if any: it has a way to Telegram */
export function checkNetwork(facts: NetworkFacts, nowMs: number, pollingPid?: number): readonly Finding[] {
  const found = checkWay(facts, nowMs);
  return pollingPid === undefined ? found : found.map((each) => withWayOf(each, pollingPid));
}

/** What keeps only this command from Telegram: the bot may go through a proxy by an agent of its own. */
function withWayOf(finding: Finding, pid: number): Finding {
  const { check, verdict, text } = finding;
  if (verdict !== 'wrong' || !['reach', 'TLS', 'proxy'].includes(check)) return finding;
  return skipped(check, `${text} Process ${pid} does reach the server, perhaps through an agent of its own.`);
}

function checkWay(facts: NetworkFacts, nowMs: number): readonly Finding[] {
  const untrusted = facts.routes.find(({ call }) => /CERT|SIGNATURE|ALTNAME/.test(call.code ?? ''));
  if (untrusted) return [untrustedCertificate(facts.apiRoot, untrusted), ...checkProxies(facts)];
  return [
    checkReach(facts),
    ...checkFamilies(facts),
    ...checkCertificate(facts, nowMs),
    ...checkClock(facts),
    ...checkProxies(facts),
  ];
}

/** Whether any HTTP answer has come, be it one of the Bot API or not. */
const isAnswered = ({ answer, code }: ApiCall): boolean =>
  answer.kind !== 'unreachable' || (code === undefined && answer.why !== 'timeout');

const isOfApi = ({ answer }: ApiCall): boolean => answer.kind !== 'unreachable';

const inWords = ({ family, call }: Route): string => `IPv${family} in ${durationInWords(call.tookMs)}`;

function checkReach({ apiRoot, host, lookedUp, routes }: NetworkFacts): Finding {
  if (lookedUp && 'failure' in lookedUp)
    return wrong('reach', `The name ${host} has no address: ${lookedUp.failure}.`, {
      cure: 'check TELEGRAM_API_ROOT, the network and the name server of this machine:',
      commands: [`getent ahosts ${host}`, 'cat /etc/resolv.conf'],
    });
  const answered = routes.filter(({ call }) => isAnswered(call));
  if (answered.length === 0) {
    const failures = routes.map(({ family, call }) => `IPv${family}: ${failureOf(call)}`).join('; ');
    const isTaken = routes.some(({ call }) => call.connectMs !== undefined);
    const cure = isTaken
      ? `something there takes connections, and does not go on: is it the Bot API server, does it speak ${apiRoot.split(':')[0]}, and is no firewall in between?`
      : 'check the network, a firewall, and that Telegram is not blocked here; no update is lost for a day, and lastcall goes on by itself once it is reached:';
    return wrong('reach', `${apiRoot} cannot be reached (${failures}).`, {
      cure,
      commands: [`curl -gsv -o /dev/null --max-time 10 '${apiRoot}'`],
    });
  }
  const stranger = answered.find(({ call }) => !isOfApi(call));
  if (stranger && answered.every(({ call }) => !isOfApi(call)))
    return wrong(
      'reach',
      `${apiRoot} answers, but not as a Bot API server (${failureOf(stranger.call)}): a login page or a proxy may be in between.`,
      {
        cure: 'look at what answers, and check TELEGRAM_API_ROOT:',
        commands: [`curl -gs --max-time 10 '${apiRoot}' | head`],
      },
    );
  const quickest = Math.min(...answered.map(({ call }) => call.tookMs));
  const how = `${host} answers by ${answered.map(inWords).join(', by ')}`;
  if (quickest > SLOW_MS)
    return warning('reach', `${how}: people wait that much longer for each answer.`, {
      cure: 'look for a slow name server, a far proxy or a busy line:',
      commands: [
        `curl -gs -o /dev/null -w 'name %{time_namelookup} s, connect %{time_connect} s, TLS %{time_appconnect} s, all %{time_total} s\\n' '${apiRoot}'`,
      ],
    });
  return well('reach', how);
}

const failureOf = ({ answer, connectMs }: ApiCall): string => {
  if (answer.kind !== 'unreachable') return 'answered';
  if (answer.why === 'timeout')
    return connectMs === undefined ? 'no connection within 2 s' : 'connected, but no answer within 2 s';
  return answer.detail;
};

/** One family is dead while the other works: each new connection may try the dead one first. */
function checkFamilies({ host, routes }: NetworkFacts): readonly Finding[] {
  const works = routes.find(({ call }) => isAnswered(call));
  if (!works) return [];
  return routes
    .filter(({ call }) => !isAnswered(call) && !noWay.has(call.code ?? ''))
    .map(({ family, call }) =>
      warning(
        `IPv${family}`,
        `${host} does not answer by IPv${family} (${failureOf(call)}), only by IPv${works.family}: new connections may lose time on it.`,
        {
          cure: `mend IPv${family} on this machine or its router${cureOfFamily(family)}`,
          ...commandsOfFamily(family),
        },
      ),
    );
}

const cureOfFamily = (family: Family): string =>
  family === 6 ? ', or have IPv4 tried first, in the environment of the bot:' : '.';
const commandsOfFamily = (family: Family): Pick<Finding, 'commands'> =>
  family === 6 ? { commands: ['NODE_OPTIONS=--dns-result-order=ipv4first'] } : {};

const untrustedCertificate = (apiRoot: string, { call }: Route): Finding =>
  wrong('TLS', `The certificate of ${apiRoot} is not accepted: ${failureOf(call)}.`, {
    cure: 'look at who has signed it; name a private authority in the environment of the bot, NODE_EXTRA_CA_CERTS=/etc/ssl/my-ca.pem:',
    commands: [
      `openssl s_client -connect ${hostAndPort(apiRoot)} </dev/null | openssl x509 -noout -issuer -subject -dates`,
    ],
  });

function checkCertificate({ apiRoot, routes }: NetworkFacts, nowMs: number): readonly Finding[] {
  if (!apiRoot.startsWith('https:')) return [];
  const untilMs = routes.find(({ call }) => call.certificateUntilMs !== undefined)?.call.certificateUntilMs;
  if (untilMs === undefined) return [];
  const left = `for ${durationInWords(untilMs - nowMs)} more`;
  if (untilMs - nowMs > CERTIFICATE_NEAR_MS) return [well('TLS', `certificate trusted, ${left}`)];
  return [
    warning('TLS', `The certificate of ${apiRoot} is valid only ${left}.`, {
      cure: 'whoever runs that server has to renew it',
    }),
  ];
}

function hostAndPort(apiRoot: string): string {
  const { hostname, port } = new URL(apiRoot);
  return `${hostname}:${port || 443}`;
}

function checkClock({ routes }: NetworkFacts): readonly Finding[] {
  const aheadMs = routes.find(({ call }) => call.aheadMs !== undefined)?.call.aheadMs;
  if (aheadMs === undefined)
    return routes.some(({ call }) => isAnswered(call))
      ? [skipped('clock', 'the server does not tell its time')]
      : [];
  const byMs = Math.abs(aheadMs);
  const text = `This machine's clock is ${durationInWords(byMs)} ${aheadMs > 0 ? 'slow' : 'fast'}, by the server's`;
  const cure = {
    cure: 'have the clock set by NTP; the age of updates, times in the log and certificates depend on it:',
    commands: ['sudo timedatectl set-ntp true', 'timedatectl'],
  };
  if (byMs >= LARGE_SKEW_MS) return [wrong('clock', `${text}.`, cure)];
  if (byMs >= SKEW_MS) return [warning('clock', `${text}.`, cure)];
  return [
    well(
      'clock',
      `within ${durationInWords(Math.max(1_000, Math.ceil(byMs / 1_000) * 1_000))} of the server's`,
    ),
  ];
}

/** What the bot was built with, which may be an agent for a proxy, cannot be seen without running it. */
function checkProxies(facts: NetworkFacts): readonly Finding[] {
  const { apiRoot, proxies, nodeMajor, usesEnvProxy, routes } = facts;
  const isDirect = routes.some(({ call }) => isOfApi(call));
  const isHttps = apiRoot.startsWith('https:');
  const isTaken = nodeMajor >= FIRST_WITH_ENV_PROXY && usesEnvProxy && !isHttps;
  return proxies.map((proxy): Finding => {
    const { variable, place, failure } = proxy;
    if (failure !== undefined) return deadProxy(proxy, isDirect);
    if (isTaken) return well('proxy', `${place} (${variable}) takes connections`);
    const why = isHttps
      ? 'Telegraf brings an agent of its own to an https server, and takes no proxy from the environment'
      : `Node ${nodeMajor} takes no proxy from the environment${nodeMajor >= FIRST_WITH_ENV_PROXY ? ' without NODE_USE_ENV_PROXY=1' : ''}`;
    const text = `${variable} names the proxy ${place}, which is not used: ${why}.`;
    const cure = {
      cure: `if the bot is to go through it, give it an agent (npm install https-proxy-agent): new Telegraf(token, { telegram: { agent: new HttpsProxyAgent(process.env.${variable}) } }). Whether it has one cannot be told from here.`,
    };
    return isDirect ? skipped('proxy', text, cure) : wrong('proxy', text, cure);
  });
}

function deadProxy({ variable, place, failure }: NamedProxy, isDirect: boolean): Finding {
  const text = `${variable} names the proxy ${place ?? '(not a URL)'}, to which no connection is made: ${failure}.`;
  const cure = {
    cure: isDirect
      ? 'start it or correct the variable, if the bot goes through it; Telegram is reached without it'
      : 'start it, or correct the variable',
    commands: [`echo "$${variable}"`],
  };
  return isDirect ? warning('proxy', text, cure) : wrong('proxy', text, cure);
}
