/** The steps of a payment, each of which depends on the bot's answer to the one before. */
import type { BotAccount } from './bot-account.js';
import { unixSeconds } from './message.js';
import type { Payment } from './state/invoices.js';

/** The address that a person gives where the goods are sent. */
const address = {
  country_code: 'NL',
  state: '',
  city: 'Amsterdam',
  street_line1: 'Damrak 1',
  street_line2: '',
  post_code: '1012',
};

/** A person pays: the bot is asked what sending costs, if that is open, or else whether it agrees. */
export function startPayment(account: BotAccount, payment: Payment): number | undefined {
  if (!payment.invoice.isFlexible) return askPreCheckout(account, payment);
  const { payload: invoice_payload } = payment.invoice;
  const id = account.nextId();
  return account.ask('shipping_query', {
    content: { id, from: account.chats.person(payment.from), invoice_payload, shipping_address: address },
    payment,
  });
}

/** Asks the bot whether it agrees to a payment. */
export function askPreCheckout(account: BotAccount, payment: Payment): number | undefined {
  const { invoice, from, totalAmount, shippingOption } = payment;
  return account.ask('pre_checkout_query', {
    content: {
      id: account.nextId(),
      from: account.chats.person(from),
      currency: invoice.currency,
      total_amount: totalAmount,
      invoice_payload: invoice.payload,
      ...orderOf(shippingOption),
    },
    payment,
  });
}

/** Tells the bot that a payment is done, in a message of the person. */
export function completePayment(account: BotAccount, payment: Payment): void {
  const { chat, from, invoice, totalAmount, shippingOption } = payment;
  const charge = account.invoices.charge(payment);
  const message = {
    message_id: account.messages.nextId(),
    from: account.chats.person(from),
    chat: account.chats.chat(chat),
    date: unixSeconds(),
    successful_payment: {
      currency: invoice.currency,
      total_amount: totalAmount,
      invoice_payload: invoice.payload,
      telegram_payment_charge_id: charge,
      provider_payment_charge_id: charge,
      ...orderOf(shippingOption),
    },
  };
  account.messages.store(message);
  account.add([{ message }]);
}

const orderOf = (shippingOption: string | undefined): object =>
  shippingOption === undefined
    ? {}
    : { shipping_option_id: shippingOption, order_info: { shipping_address: address } };
