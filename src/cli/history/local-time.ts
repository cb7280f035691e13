/** Times as the people of a place write them. */

const DAY_MS = 24 * 60 * 60 * 1_000;

export class LocalTime {
  readonly #format: Intl.DateTimeFormat;

  /** @param timeZone such as `Europe/Berlin`. Default: that of the process */
  constructor(timeZone?: string) {
    this.#format = new Intl.DateTimeFormat('en-GB', {
      ...{ year: 'numeric', month: 'short', day: '2-digit', weekday: 'short' },
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
      ...(timeZone !== undefined && { timeZone }),
    });
  }

  /** `Europe/Berlin` */
  get zone(): string {
    return this.#format.resolvedOptions().timeZone;
  }

  /** `Nov 29 03:12:07` */
  dateTime(ms: number): string {
    const { month, day, hour, minute, second } = this.#partsOf(ms);
    return `${month} ${day} ${hour}:${minute}:${second}`;
  }

  /** `Sun 03:12` */
  dayTime(ms: number): string {
    const { weekday, hour, minute } = this.#partsOf(ms);
    return `${weekday} ${hour}:${minute}`;
  }

  /** `03:12` */
  time(ms: number): string {
    const { hour, minute } = this.#partsOf(ms);
    return `${hour}:${minute}`;
  }

  /** `03:12:07` */
  timeOfDay(ms: number): string {
    const { hour, minute, second } = this.#partsOf(ms);
    return `${hour}:${minute}:${second}`;
  }

  /** `Sun 29` */
  day(ms: number): string {
    const { weekday, day } = this.#partsOf(ms);
    return `${weekday} ${Number(day)}`;
  }

  /** The times within a span at which clocks of the place show a multiple of the step. */
  ticks(fromMs: number, toMs: number, stepMs: number): readonly number[] {
    const ticks: number[] = [];
    const first = Math.ceil((fromMs + this.#offsetAt(fromMs)) / stepMs) * stepMs;
    for (let local = first; ; local += stepMs) {
      // The offset changes twice a year.
      const ms = local - this.#offsetAt(local - this.#offsetAt(fromMs));
      if (ms > toMs) return ticks;
      if (ms >= fromMs) ticks.push(ms);
    }
  }

  /** Whether a day begins. */
  isMidnight(ms: number): boolean {
    return (ms + this.#offsetAt(ms)) % DAY_MS === 0;
  }

  #offsetAt(ms: number): number {
    const { year, hour, minute, second, day, month } = this.#partsOf(ms);
    const local = Date.parse(`${day} ${month} ${year} ${hour}:${minute}:${second} UTC`);
    return local - Math.floor(ms / 1_000) * 1_000;
  }

  #partsOf(ms: number): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#format
        .formatToParts(ms)
        .map(({ type, value }) => [type, value.slice(0, type === 'month' ? 3 : 4)]),
    );
  }
}
