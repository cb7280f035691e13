/** Puts the errors of connections into one line of words, with what helps where that is known. */
import { isObject } from '../../json.js';

const UNTRUSTED =
  'nobody that Node trusts has signed the certificate; if the authority is your own, name its file in NODE_EXTRA_CA_CERTS';

/** By Node's codes. */
const hints: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_HAS_EXPIRED: "the server's certificate is out of date, or this host's clock is wrong",
  CERT_NOT_YET_VALID: "this host's clock is wrong, or the server's certificate is",
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the certificate is for another host; a login page of the network may be in between',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS; does its address begin with http://?',
  EPROTO: 'the server does not speak TLS as Node does; does its address begin with http://?',
};

/** How far `cause` is followed. */
const DEEPEST_CAUSE = 3;

/** A failed attempt at several addresses is an AggregateError, whose own message is empty. */
export function describeError(error: unknown): string {
  const words = wordsOf(error);
  const hint = codesOf(error)
    .map((code) => hints[code])
    .find((known) => known !== undefined);
  return hint === undefined ? words : `${words} (${hint})`;
}

/**
 * Whether several addresses were tried and one of them did not answer in time: Node allows each 250 ms, which is less than
 * one round trip by satellite.
 */
export const isAddressTimeout = (error: unknown): boolean =>
  isObject(error) && Array.isArray(error['errors']) && codesOf(error).includes('ETIMEDOUT');

function wordsOf(error: unknown): string {
  const { message: own, errors } = isObject(error) ? error : { message: String(error), errors: undefined };
  if (own === '' && Array.isArray(errors)) return errors.map(wordsOf).join('; ');
  const message = typeof own === 'string' ? own : String(error);
  // OpenSSL's errors end with a line break and the file of its source.
  return message
    .replace(/:[^:\s]*\.c:\d+:\s*$/, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function codesOf(error: unknown, depth = 0): readonly string[] {
  if (!isObject(error) || depth > DEEPEST_CAUSE) return [];
  const { code, cause, errors } = error;
  const inner = [cause, ...(Array.isArray(errors) ? errors : [])].flatMap((each) => codesOf(each, depth + 1));
  return typeof code === 'string' ? [code, ...inner] : inner;
}
