/** The value of METRICS: an address of this machine, with a port. */
import { isIP } from 'node:net';
import { isLoopback, type ValueType } from './value-types.js';

export interface HostAndPort {
  /** As it was set. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Whether only this machine can reach the address. */
  readonly isLoopback: boolean;
}

const MAX_PORT = 65_535;

export const listenAddress: ValueType<string> = {
  expects: `an IP address of this machine with a port, such as 127.0.0.1:9464 or [::1]:9464`,
  print: (value) => value,
  parse(text) {
    const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(text) ?? [];
    const problem = `expected ${listenAddress.expects}`;
    // What has no port is left to the bot program, which may have a switch of this name.
    if (host === '') return { problem };
    const ip = host.replace(/^\[(.*)\]$/, '$1');
    const isAddress = host === 'localhost' || (ip === host ? isIP(ip) === 4 : isIP(ip) === 6);
    return isAddress && Number(port) <= MAX_PORT ? { value: text } : { problem, isOurs: true };
  },
};

/** The parts of a value that `listenAddress` has accepted. */
export function hostAndPort(value: string): HostAndPort {
  const end = value.lastIndexOf(':');
  const host = value.slice(0, end);
  return {
    address: value,
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: Number(value.slice(end + 1)),
    isLoopback: isLoopback(host),
  };
}
