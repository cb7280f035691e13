/** Objects in the format of the Bot API, of which only the server knows the fields. */

export type Content = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is Content => typeof value === 'object' && value !== null;
