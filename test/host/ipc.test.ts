import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { type IpcChannel, listenOnIpc } from '../../src/host/ipc.js';

function setUp(connected: boolean | undefined, underPm2: boolean) {
  const emitter = new EventEmitter();
  const channel = Object.assign(emitter, { connected }) as EventEmitter & IpcChannel;
  const told: string[] = [];
  const stop = listenOnIpc(channel, underPm2, {
    shutdown: () => told.push('shutdown'),
    supervisorGone: () => told.push('gone'),
  });
  return { emitter, told, stop };
}

describe('the IPC channel', () => {
  it('requests a stop on pm2’s message, and on no other', () => {
    const { emitter, told } = setUp(true, true);
    for (const message of ['hello', { shutdown: true }, null, 'shutdown']) emitter.emit('message', message);
    expect(told).toEqual(['shutdown']);
  });

  it('reports the supervisor gone when it closes under pm2, and nothing elsewhere', () => {
    const underPm2 = setUp(true, true);
    underPm2.emitter.emit('disconnect');
    expect(underPm2.told).toEqual(['gone']);
    const elsewhere = setUp(true, false);
    elsewhere.emitter.emit('disconnect');
    expect(elsewhere.told).toEqual([]);
  });

  it('reports the same if it had closed before', () => {
    expect(setUp(false, true).told).toEqual(['gone']);
    expect(setUp(false, false).told).toEqual([]);
  });

  it('has no listeners if there is no channel, nor after the end', () => {
    expect(setUp(undefined, true).emitter.eventNames()).toEqual([]);
    const { emitter, stop } = setUp(true, true);
    stop();
    expect(emitter.eventNames()).toEqual([]);
  });
});
