import { EventEmitter } from 'node:events';
import { expect, it } from '@jest/globals';
import { listenForFaults } from '../../src/host/faults.js';

it('reports each fault, and whether the program listens for it too', () => {
  const source = new EventEmitter();
  const told: unknown[] = [];
  const stop = listenForFaults(source, (...fault) => void told.push(fault));
  source.emit('uncaughtException', 'a', 'uncaughtException');
  source.on('unhandledRejection', () => {});
  source.emit('unhandledRejection', 'b');
  expect(told).toEqual([
    ['a', 'uncaughtException', false],
    ['b', 'unhandledRejection', true],
  ]);
  stop();
  expect(source.listenerCount('uncaughtException')).toBe(0);
});

it('passes a rejection to a program that listens only for exceptions, like Node', () => {
  const source = new EventEmitter();
  const told: unknown[] = [];
  const heard: unknown[] = [];
  listenForFaults(source, (...fault) => void told.push(fault));
  source.on('uncaughtException', (error, origin) => void heard.push([error, origin]));
  source.emit('unhandledRejection', 'a');
  expect(told).toEqual([['a', 'unhandledRejection', true]]);
  expect(heard).toEqual([['a', 'unhandledRejection']]);
});
