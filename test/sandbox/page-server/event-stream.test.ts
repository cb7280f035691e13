import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BotAccounts } from '../../../src/sandbox/bot-accounts.js';
import { Calls } from '../../../src/sandbox/calls.js';
import { Changes } from '../../../src/sandbox/changes.js';
import { Faults } from '../../../src/sandbox/faults.js';
import { streamEvents } from '../../../src/sandbox/page-server/event-stream.js';
import type { PageSource } from '../../../src/sandbox/page-server/source.js';
import { SANDBOX_TOKEN } from '../../../src/sandbox/sandbox-token.js';
import { FakeClock } from '../../support/fake-clock.js';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** A page's connection, which takes as much as its reader reads. */
class Connection extends EventEmitter {
  readonly written: string[] = [];
  writableNeedDrain = false;
  closed = false;

  writeHead(): void {}

  write(text: string): boolean {
    this.written.push(text);
    return !this.writableNeedDrain;
  }

  destroy(): void {
    this.closed = true;
    this.emit('close');
  }
}

function open() {
  const clock = new FakeClock();
  const changes = new Changes();
  const accounts = new BotAccounts({
    clock,
    changes,
    random: () => 0,
    firstUpdateId: 1,
    tokens: [SANDBOX_TOKEN],
  });
  const account = accounts.authenticate(SANDBOX_TOKEN);
  const source: PageSource = {
    clock,
    changes,
    accounts,
    calls: new Calls(100),
    faults: new Faults({ clock, seed: 1 }),
    apiRoot: '',
    connect: '',
    bot: () => {
      throw new Error('unused');
    },
    process: () => undefined,
  };
  const connection = new Connection();
  streamEvents(source, account, connection as unknown as ServerResponse);
  const collect = (count: number) => {
    for (let id = 1; id <= count; id++) changes.tell({ kind: 'update', bot: account.id, id });
  };
  return { changes, connection, collect };
}

describe('the events of a page that does not read', () => {
  it('are collected until it reads again', () => {
    const { connection, collect } = open();
    expect(connection.written).toHaveLength(1);
    connection.writableNeedDrain = true;
    collect(9_000);
    jest.advanceTimersByTime(60_000);
    expect(connection).toMatchObject({ closed: false, written: { length: 1 } });
    connection.writableNeedDrain = false;
    connection.emit('drain');
    expect(connection.written).toHaveLength(2);
    connection.destroy();
  });

  it('end when too many wait for it, and are collected no more', () => {
    const { changes, connection, collect } = open();
    connection.writableNeedDrain = true;
    collect(10_001);
    jest.advanceTimersByTime(1_000);
    expect(connection.closed).toBe(true);
    expect(changes.watched).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });
});
