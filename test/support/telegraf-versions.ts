/** The last version of each minor of Telegraf 4 that lastcall is tested with. Node runs all of them. */

export interface TelegrafVersion {
  readonly minor: number;
  /** The name by which it is installed. */
  readonly name: string;
}

export const telegrafVersions: readonly TelegrafVersion[] = [
  ...[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map((minor) => ({ minor, name: `telegraf-4.${minor}` })),
  { minor: 16, name: 'telegraf' },
];
