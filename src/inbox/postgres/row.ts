/** Reads the columns of a row, which is unknown until it was looked at. */
import { LastcallError } from '../../errors.js';
import { isObject } from '../../json.js';

export class Row {
  readonly #columns: Readonly<Record<string, unknown>>;

  constructor(row: unknown) {
    if (!isObject(row)) throw unexpected('a row', row);
    this.#columns = row;
  }

  text(column: string): string {
    const value = this.#columns[column];
    return typeof value === 'string' ? value : this.#unexpected(column, value);
  }

  optionalText(column: string): string | undefined {
    return this.#isNull(column) ? undefined : this.text(column);
  }

  /** A whole number of any width. The driver gives those of eight bytes as text. */
  integer(column: string): number {
    const value = this.#columns[column];
    return safeInteger(value) ?? this.#unexpected(column, value);
  }

  optionalInteger(column: string): number | undefined {
    return this.#isNull(column) ? undefined : this.integer(column);
  }

  boolean(column: string): boolean {
    const value = this.#columns[column];
    return typeof value === 'boolean' ? value : this.#unexpected(column, value);
  }

  /** A point in time, in milliseconds since 1970. */
  timeMs(column: string): number {
    const value = this.#columns[column];
    return value instanceof Date ? value.getTime() : this.#unexpected(column, value);
  }

  optionalTimeMs(column: string): number | undefined {
    return this.#isNull(column) ? undefined : this.timeMs(column);
  }

  /** An array of whole numbers. */
  integers(column: string): readonly number[] {
    const value = this.#columns[column];
    if (!Array.isArray(value)) return this.#unexpected(column, value);
    return value.map((item: unknown) => safeInteger(item) ?? this.#unexpected(column, item));
  }

  #isNull(column: string): boolean {
    // A column that is missing is no null: it was misspelled.
    return this.#columns[column] === null;
  }

  #unexpected(column: string, value: unknown): never {
    throw unexpected(`the column ${column}`, value);
  }
}

function safeInteger(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

/** The value is not quoted, because it may be a message of a person. */
function unexpected(what: string, value: unknown): LastcallError {
  const kind =
    value === undefined ? 'missing' : `of an unexpected type (${value === null ? 'null' : typeof value})`;
  return new LastcallError(
    'INBOX_DATABASE_FAILED',
    'INBOX',
    `the database has answered, but ${what} is ${kind}`,
  );
}
