import { beforeEach, describe, expect, it } from '@jest/globals';
import { type EndingProcess, endWithoutPool, isPoolBusy, ProcessEnd } from '../../src/host/process-end.js';

/** Stands for the end of the process, which none of its methods survives. */
class Ended extends Error {}

/** No thread of the pool is at anything. */
const idle = () => false;

const calls: unknown[][] = [];
beforeEach(() => {
  calls.length = 0;
});

const execve = (...args: unknown[]): never => {
  calls.push(['execve', ...args]);
  throw new Ended();
};

function fake(resources: readonly string[], more: Partial<EndingProcess> = {}): EndingProcess {
  return {
    pid: 7,
    execPath: '/node',
    exit(code) {
      calls.push(['exit', code]);
      throw new Ended();
    },
    kill(...args) {
      calls.push(['kill', ...args]);
      throw new Ended();
    },
    getActiveResourcesInfo: () => resources,
    emit: (...args) => calls.push(['emit', ...args]),
    removeAllListeners: (signal) => calls.push(['removeAllListeners', signal]),
    ...more,
  };
}

describe('the end of the process', () => {
  it("is Node's own while no thread of the pool is at work", async () => {
    const end = new ProcessEnd(fake(['TCPSocketWrap', 'Timeout', 'Immediate']), idle);
    expect(() => end.now(75)).toThrow(Ended);
    await expect(end.soon(0)).rejects.toThrow(Ended);
    expect(calls).toEqual([
      ['exit', 75],
      ['exit', 0],
    ]);
  });

  it('waits for what threads have under way', async () => {
    const looks = [['FSReqPromise'], ['FSReqPromise'], []];
    const end = new ProcessEnd(fake([], { getActiveResourcesInfo: () => looks.shift() ?? [] }), idle);
    await expect(end.soon(0)).rejects.toThrow(Ended);
    expect(calls).toEqual([['exit', 0]]);
    expect(looks).toEqual([]);
  });

  it.each([
    'FSReqCallback',
    'FSReqPromise',
    'CloseReq',
    'FileHandleCloseReq',
    'GetAddrInfoReqWrap',
    'GetNameInfoReqWrap',
  ])(
    'gives the place of the process to a program with the same exit code while there is a %s',
    async (kind) => {
      const end = new ProcessEnd(fake([kind], { execve }));
      await expect(end.soon(70)).rejects.toThrow(Ended);
      expect(calls).toEqual([
        ['emit', 'exit', 70],
        ['execve', '/bin/sh', ['/bin/sh', '-c', 'exit 70'], {}],
      ]);
    },
  );

  it('is the same where a thread of the pool is at something that Node does not list', () => {
    const end = new ProcessEnd(fake([], { execve }), () => true);
    expect(() => end.now(0)).toThrow(Ended);
    expect(calls).toContainEqual(['execve', '/bin/sh', ['/bin/sh', '-c', 'exit 0'], {}]);
  });

  it('is decided by one look, since a thread may begin something at any time', () => {
    const looks = [false, true, true];
    const end = new ProcessEnd(fake([], { execve }), () => looks.shift() ?? true);
    expect(() => end.now(75)).toThrow(Ended);
    expect(calls).toEqual([['exit', 75]]);
  });

  it('gives what a thread writes a moment, where the program has called for the exit', () => {
    const looks = [true, true, true, false];
    expect(() => endWithoutPool(fake([], { execve }), 0, () => looks.shift() ?? true)).toThrow(Ended);
    expect(looks).toEqual([]);
    expect(calls.at(-1)).toEqual(['execve', '/bin/sh', ['/bin/sh', '-c', 'exit 0'], {}]);
  });

  it.each([
    [0, 'SIGTERM'],
    [70, 'SIGKILL'],
    [143, 'SIGKILL'],
  ])('is a signal where that cannot be: %d by %s', (code, signal) => {
    const end = new ProcessEnd(fake(['GetAddrInfoReqWrap']));
    expect(() => end.now(code)).toThrow(Ended);
    expect(calls).toEqual([
      ['emit', 'exit', code],
      ['removeAllListeners', signal],
      ['kill', 7, signal],
    ]);
  });

  it('is what it was when the program began, whatever the program replaces', () => {
    const process = fake([]);
    const end = new ProcessEnd(process, idle);
    process.exit = () => {
      throw new Error('replaced');
    };
    expect(() => end.now(1)).toThrow(Ended);
  });
});

it('knows the requests of the pool by their names in Node', () => {
  const busy = (kinds: string[]) => isPoolBusy({ getActiveResourcesInfo: () => kinds }, idle);
  expect(busy(['TTYWrap', 'ConnectWrap', 'TCPConnectWrap', 'PipeWrap'])).toBe(false);
  expect(busy(['TTYWrap', 'GetAddrInfoReqWrap'])).toBe(true);
});
