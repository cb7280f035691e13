/** A file that a program uploads with a call. */

/** Recorded calls show its name and size, and no content: that is let go of when the call has been executed. */
export class Upload {
  readonly fileName: string;
  /** In bytes. */
  readonly size: number;
  #content: Buffer | undefined;

  constructor(fileName: string, content: Buffer) {
    this.fileName = fileName;
    this.size = content.length;
    this.#content = content;
  }

  /** Undefined once it has been released. */
  get content(): Buffer | undefined {
    return this.#content;
  }

  /** Lets go of the content, so that a recorded call does not keep it in memory. */
  release(): void {
    this.#content = undefined;
  }
}
