/** Keeps the token and the private parts of URLs out of the details of answers and errors. */

/** Captures the scheme and the host of a URL. */
const URL_PATTERN = /([a-z]+:\/\/)(?:[^\s/@]*@)?([^\s/?#"'<>]+)[^\s"'<>]*/gi;

/** Creates a function that removes the token from a text, and all but the scheme and host from each URL in it. */
export function createDetailRedactor(token: string): (text: string) => string {
  const secrets = [token, encodeURIComponent(token)].filter((secret) => secret !== '');
  return (text) =>
    secrets.reduce((left, secret) => left.replaceAll(secret, '<token>'), text.replace(URL_PATTERN, '$1$2/…'));
}
