/** Methods about payments. A person pays through the control API: what they are asked then depends on the answers. */
import { randomUUID } from 'node:crypto';
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import { type CallParameters, text as rawText, structure } from '../parameters.js';
import { askPreCheckout, completePayment } from '../payment.js';
import type { Payment } from '../state/invoices.js';
import { type Methods, method } from './method.js';
import { flag, integer, list, type Parameter, requiredText, text, userId, type Values } from './parameter.js';
import { post, sending } from './posting.js';
import { answerQuery } from './queries.js';

/** The sum of the prices. Reading throws an ApiError 400 without any. */
const total: Parameter<number> = {
  names: ['prices'],
  read: (given) => sumOf(structure(given, 'prices')),
};

/** Returns the sum of labeled prices. @throws ApiError 400 */
function sumOf(prices: unknown): number {
  if (!Array.isArray(prices)) throw ApiError.badRequest("can't parse prices JSON object");
  const amounts = prices.map((price: unknown) => {
    if (!isObject(price))
      throw ApiError.badRequest("can't parse labeled price: LabeledPrice must be an Object");
    if (rawText(price, 'label') === '')
      throw ApiError.badRequest("can't parse labeled price: LabeledPrice label must be non-empty");
    const amount = Number(price['amount']);
    if (!Number.isSafeInteger(amount))
      throw ApiError.badRequest('can\'t parse labeled price: Can\'t find field "amount"');
    return amount;
  });
  if (amounts.length === 0) throw ApiError.badRequest('there must be at least one price');
  return amounts.reduce((sum, amount) => sum + amount, 0);
}

/** Returns a payment with what a shipping option adds to its price. @throws ApiError 400 */
function withShipping(payment: Payment, option: CallParameters): Payment {
  const totalAmount = payment.invoice.totalAmount + sumOf(option['prices']);
  return { ...payment, totalAmount, shippingOption: rawText(option, 'id') };
}

const currency: Parameter<string> = {
  names: ['currency'],
  read: (given) => {
    const code = rawText(given, 'currency').toUpperCase();
    if (!/^[A-Z]{3}$/.test(code)) throw ApiError.badRequest('CURRENCY_INVALID');
    return code;
  },
};

const invoice = {
  title: requiredText('title', 'parameter "title" is required'),
  description: requiredText('description', 'parameter "description" is required'),
  payload: requiredText('payload', 'parameter "payload" is required'),
  provider: text('provider_token'),
  currency,
  total,
  isFlexible: flag('is_flexible'),
};

/** Only Telegram's stars need no provider. */
function checkProvider({ currency: code, provider }: Values<typeof invoice>): void {
  if (code !== 'XTR' && provider === '') throw ApiError.badRequest('PAYMENT_PROVIDER_INVALID');
}

export const paymentMethods: Methods = {
  sendInvoice: method({ ...invoice, startParameter: text('start_parameter'), ...sending }, (given, call) => {
    checkProvider(given);
    const { title, description, startParameter, currency: code, total: total_amount } = given;
    const message = post(call, given, {
      invoice: { title, description, start_parameter: startParameter, currency: code, total_amount },
    });
    call.account.invoices.add(given.chat, message.message_id, {
      payload: given.payload,
      currency: code,
      totalAmount: total_amount,
      isFlexible: given.isFlexible,
    });
    return message;
  }),
  createInvoiceLink: method(invoice, (given) => {
    checkProvider(given);
    return `https://t.me/$${randomUUID()}`;
  }),
  answerShippingQuery: method(
    {
      id: text('shipping_query_id'),
      ok: flag('ok'),
      options: list('shipping_options', 'shipping options'),
      error: text('error_message'),
    },
    ({ id, ok, options = [], error }, call) => {
      if (ok && options.length === 0) throw ApiError.badRequest('there must be at least one shipping option');
      if (!ok && error === '') throw ApiError.badRequest('parameter "error_message" is required');
      const { payment } = answerQuery(call, 'shipping_query', id, { ok, options, error });
      // The person takes the first way to send the goods.
      const [option] = options;
      if (ok && payment && isObject(option)) askPreCheckout(call.account, withShipping(payment, option));
      return true;
    },
  ),
  answerPreCheckoutQuery: method(
    { id: text('pre_checkout_query_id'), ok: flag('ok'), error: text('error_message') },
    ({ id, ok, error }, call) => {
      if (!ok && error === '') throw ApiError.badRequest('parameter "error_message" is required');
      const { payment } = answerQuery(call, 'pre_checkout_query', id, { ok, error });
      if (ok && payment) completePayment(call.account, payment);
      return true;
    },
  ),
  refundStarPayment: method(
    { user: userId(), charge: requiredText('telegram_payment_charge_id') },
    ({ user, charge }, { account }) => {
      const paid = account.invoices.findCharge(charge);
      if (paid?.payment.from !== user) throw ApiError.badRequest('CHARGE_ID_INVALID');
      if (paid.isRefunded) throw ApiError.badRequest('CHARGE_ALREADY_REFUNDED');
      account.invoices.refund(charge);
      return true;
    },
  ),
  getStarTransactions: method(
    { offset: integer('offset', 0, 0), limit: integer('limit', 100, 1, 100) },
    () => ({
      transactions: [],
    }),
  ),
  getMyStarBalance: method({}, () => ({ amount: 0 })),
};
