import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { socketPath } from '../../../src/observe/status/socket-path.js';
import { Folder } from '../../support/folder.js';

const openFiles = (): number => readdirSync('/proc/self/fd').length;
const whereLinux = process.platform === 'linux' ? it : it.skip;

describe('socketPath', () => {
  it('is the path itself where that fits', () => {
    expect(socketPath('/some/folder', 'a.sock').address).toBe('/some/folder/a.sock');
    expect(socketPath(`/${'x'.repeat(99)}`, 'a.sock').address).toHaveLength(107);
  });

  whereLinux(
    'reaches a socket by a short path where its own is too long, and leaves nothing open',
    async () => {
      using folder = new Folder();
      const deep = folder.file('ä'.repeat(60));
      mkdirSync(deep);
      const before = openFiles();
      const path = socketPath(deep, 'a.sock');
      expect(path.address.length).toBeLessThan(40);
      const server = createServer().listen(path.address);
      await once(server, 'listening');
      expect(readdirSync(deep)).toEqual(['a.sock']);
      const client = connect(socketPath(deep, 'a.sock').address);
      await once(client, 'connect');
      client.destroy();
      await new Promise((resolve) => server.close(resolve));
      expect(readdirSync(deep)).toEqual([]);
      path.close();
      path.close();
      expect(openFiles()).toBeLessThanOrEqual(before + 1);
    },
  );
});
