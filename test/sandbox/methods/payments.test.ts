import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from '../test-sandbox.js';

/** A chat with an invoice, which a person has been asked to pay: the bot has to agree. */
async function open() {
  const testSandbox = await openTestSandbox();
  const { call, sandbox } = testSandbox;
  const prices = [{ label: 'Tea', amount: 5 }];
  await call('sendInvoice', {
    chat_id: 7,
    title: 't',
    description: 'd',
    payload: 'p',
    currency: 'XTR',
    prices,
  });
  sandbox.press({ chat: 7, button: 'Pay' });
  const answer = async (parameters: object) => {
    const id = sandbox.queries().at(-1)?.id;
    return call('answerPreCheckoutQuery', { pre_checkout_query_id: id, ...parameters });
  };
  const updates = () => sandbox.updates().map(({ json }) => JSON.parse(json));
  return { ...testSandbox, answer, updates };
}

describe('a payment', () => {
  it('is done when the bot agrees, and can be refunded once', async () => {
    const { call, answer, updates } = await open();
    expect(updates()).toMatchObject([
      { pre_checkout_query: { currency: 'XTR', total_amount: 5, invoice_payload: 'p', from: { id: 7 } } },
    ]);
    expect((await answer({ ok: true })).result).toBe(true);
    const { successful_payment } = updates()[1].message;
    expect(successful_payment).toMatchObject({ currency: 'XTR', total_amount: 5, invoice_payload: 'p' });
    const refund = { user_id: 7, telegram_payment_charge_id: successful_payment.telegram_payment_charge_id };
    expect((await call('refundStarPayment', refund)).result).toBe(true);
    expect((await call('refundStarPayment', refund)).description).toContain('CHARGE_ALREADY_REFUNDED');
  });

  it('is not done when the bot refuses, which needs a reason', async () => {
    const { answer, updates } = await open();
    expect((await answer({ ok: false })).description).toContain('parameter "error_message" is required');
    expect((await answer({ ok: false, error_message: 'sold out' })).result).toBe(true);
    expect(updates()).toHaveLength(1);
  });

  it('is refused when the bot answers after ten seconds', async () => {
    const { answer, clock, updates } = await open();
    await clock.advance(10_001);
    expect((await answer({ ok: true })).description).toContain('query is too old');
    expect(updates()).toHaveLength(1);
  });
});
