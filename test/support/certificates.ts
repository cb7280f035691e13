/** Certificates that are made when a test needs them, by openssl. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Folder } from './folder.js';

export interface Credentials {
  readonly key: string;
  readonly cert: string;
}

export interface Authority {
  /** The certificate of the authority, as a file and as its text. */
  readonly file: string;
  readonly cert: string;
  /** Issues a certificate for loopback, unless it is to be for other names or out of date. */
  issue(options?: { readonly names?: string; readonly days?: number }): Credentials;
  /** Makes a certificate for loopback that nobody has signed. */
  selfSigned(): Credentials;
  [Symbol.dispose](): void;
}

const LOOPBACK = 'DNS:localhost,IP:127.0.0.1';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;

/** Creates a certificate authority that no machine knows. */
export function createAuthority(): Authority {
  const folder = new Folder();
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder.path, stdio: 'pipe' });
  const read = (name: string) => readFileSync(folder.file(name), 'utf8');
  openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=lastcall-test',
  );
  return {
    file: folder.file('ca.pem'),
    cert: read('ca.pem'),
    issue({ names = LOOPBACK, days = 2 } = {}) {
      folder.write('extensions', `subjectAltName=${names}`);
      openssl('req', ...NEW_KEY, '-keyout', 'key', '-out', 'request', '-subj', '/CN=issued');
      openssl(
        ...['x509', '-req', '-in', 'request', '-out', 'cert', '-days', `${days}`, '-extfile', 'extensions'],
        ...['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
      );
      return { key: read('key'), cert: read('cert') };
    },
    selfSigned() {
      openssl(
        ...['req', '-x509', ...NEW_KEY, '-keyout', 'key', '-out', 'cert', '-days', '2', '-subj', '/CN=self'],
        ...['-addext', `subjectAltName=${LOOPBACK}`],
      );
      return { key: read('key'), cert: read('cert') };
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}
