/** What the sandbox does not model, in the words of its help and of the README. */
export const NOT_MODELLED = [
  'delivery to webhooks: a webhook can be set and stops polling as it should, but nothing is sent to it',
  'privacy mode, and the rights of people: a bot may write to any chat, which exists from then on, until it leaves, is removed or is blocked, and is an administrator of each group until an update says otherwise',
  'flood limits (a fault makes 429s), and size limits other than the length of a text',
  'entities of phone numbers, bank cards and the less common domains, which Telegram finds by itself',
  'files: what is uploaded can be downloaded again, and is not looked into; other files have a content in name only',
  'stories, gifts, business accounts, checklists and other methods, each of which is refused with words that say so',
  'TLS, HTTP/2, several data centers: the server speaks plain HTTP/1.1 on 127.0.0.1 and keeps everything in memory',
] as const;
