/** The best scores of people in the games that a bot has sent. */

export class GameScores {
  readonly #scores = new Map<string, Map<number, number>>();

  /** Returns the best scores of a message, the highest first. */
  of(chat: number, messageId: number): readonly { readonly user: number; readonly score: number }[] {
    return [...(this.#scores.get(`${chat}/${messageId}`) ?? [])]
      .map(([user, score]) => ({ user, score }))
      .sort((one, other) => other.score - one.score);
  }

  set(chat: number, messageId: number, user: number, score: number): void {
    const key = `${chat}/${messageId}`;
    const scores = this.#scores.get(key) ?? new Map<number, number>();
    scores.set(user, score);
    this.#scores.set(key, scores);
  }
}
