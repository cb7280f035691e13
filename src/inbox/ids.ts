/** The numbers and names by which an inbox tells updates apart; each has a type of its own, so that none is taken for another. */
import type { Branded } from '../branded.js';

/** Telegram's `update_id`. It rises by one, but may jump in either direction after a week of silence. */
export type UpdateId = Branded<number, 'UpdateId'>;

/** Updates that share an order key are handled one at a time, in order of arrival; normally a chat's id. */
export type OrderKey = Branded<string, 'OrderKey'>;

/** The inbox's own number of an update. It only ever rises: its order is the order of arrival. */
export type Seq = Branded<number, 'Seq'>;

export const updateId = (id: number): UpdateId => id as UpdateId;
export const orderKey = (key: string): OrderKey => key as OrderKey;
export const seq = (number: number): Seq => number as Seq;
