/** The invoices of a bot, by the message that shows each, and what was paid for them. */

export interface Invoice {
  readonly payload: string;
  readonly currency: string;
  readonly totalAmount: number;
  /** Whether the price depends on how the goods are sent: the bot is asked for it first. */
  readonly isFlexible: boolean;
}

/** A payment under way. */
export interface Payment {
  readonly chat: number;
  readonly from: number;
  readonly invoice: Invoice;
  /** The id of the way to send the goods. */
  readonly shippingOption?: string;
  readonly totalAmount: number;
}

interface Charge {
  readonly payment: Payment;
  readonly isRefunded: boolean;
}

export class Invoices {
  readonly #byMessage = new Map<string, Invoice>();
  readonly #charges = new Map<string, Charge>();

  add(chat: number, messageId: number, invoice: Invoice): void {
    this.#byMessage.set(`${chat}/${messageId}`, invoice);
  }

  find(chat: number, messageId: number): Invoice | undefined {
    return this.#byMessage.get(`${chat}/${messageId}`);
  }

  /** Returns the id of the charge for a payment that is complete. */
  charge(payment: Payment): string {
    const id = `sandbox-charge-${this.#charges.size + 1}`;
    this.#charges.set(id, { payment, isRefunded: false });
    return id;
  }

  findCharge(id: string): Charge | undefined {
    return this.#charges.get(id);
  }

  refund(id: string): void {
    const charge = this.#charges.get(id);
    if (charge) this.#charges.set(id, { ...charge, isRefunded: true });
  }
}
