/** Keeps the token and the private parts of URLs out of the details of answers and errors. */

/** What is shorter is not hidden on its own, since any text may contain it. */
const SHORTEST_SECRET = 8;

/** Captures the scheme and the host of a URL. */
const URL_PATTERN = /([a-z]{1,16}:\/\/)(?:[^\s/]*@)?([^\s/?#"'<>]+)[^\s"'<>]*/gi;

/** More than people read in a line; what is longer is cut between words, so that no secret is cut in two. */
const LONGEST_TEXT = 2_000;

/** Creates a function that removes the token from a text, and all but the scheme and host from each URL in it. */
export function createDetailRedactor(token: string): (text: string) => string {
  const secret = token.slice(token.indexOf(':') + 1);
  const secrets = [token, encodeURIComponent(token)].filter((text) => text !== '');
  // The secret part on its own, too, since the colon before it may be written in several ways.
  if (secret.length >= SHORTEST_SECRET) secrets.push(secret);
  return (text) =>
    secrets.reduce(
      (left, each) => left.replaceAll(each, '<token>'),
      shortened(text).replace(URL_PATTERN, '$1$2/…'),
    );
}

const shortened = (text: string): string =>
  text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT).replace(/\S*$/, '')}…`;
