import { afterAll, expect, it, jest } from '@jest/globals';
import { allAnswered, openSandbox } from '../support/delivery.js';
import { Pm2, Pm2Bot } from '../support/pm2.js';

jest.setTimeout(60_000);
const pm2 = new Pm2();
afterAll(() => pm2[Symbol.asyncDispose]());

it('starts', async () => {
  await using sandbox = await openSandbox();
  await using bot = new Pm2Bot(pm2, sandbox);
  const s = await bot.start();
  console.log(s, bot.log);
  sandbox.say('hi');
  await allAnswered(sandbox);
  console.log(JSON.stringify((await pm2.list())[0], null, 1));
  console.log((await pm2.run('show', 'lastcall')).output);
  console.log(await bot.stop());
  console.log(bot.log, bot.errorLog, pm2.ownLog);
  await bot.delete();
});

it('cluster', async () => {
  await using sandbox = await openSandbox();
  await using bot = new Pm2Bot(pm2, sandbox, { app: { exec_mode: 'cluster', instances: 2 } });
  const s = await bot.start();
  console.log(s, bot.log);
  sandbox.say('hi');
  await allAnswered(sandbox);
  console.log(await bot.reload());
  console.log(bot.log, sandbox.calls({}).map((c) => JSON.stringify(c)).join('\n'), sandbox.state());
  console.log(await bot.stop());
  console.log(bot.log, bot.errorLog, pm2.ownLog);
});
