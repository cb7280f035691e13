/** Input whose fields are wrong, with what is wrong with each of them. */
export class FieldsError extends RangeError {
  override readonly name = 'FieldsError';
  /** What is wrong, by the name of the field. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(problems: ReadonlyMap<string, string>) {
    super([...problems.values()].join('; '));
    this.fields = Object.fromEntries(problems);
  }
}
