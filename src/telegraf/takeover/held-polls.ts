/** Holds back the `getUpdates` requests that a program makes by itself, before anything of them is sent. */
import http from 'node:http';
import { dirname, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCallSites } from './call-sites.js';
import type { Patches } from './patches.js';

export interface HeldPoll {
  /** The files whose functions have made the request or wait for it, the innermost first. */
  readonly files: readonly string[];
  /** Sends the request. Until then it seems to take its time. */
  send(): void;
}

/** The path of a poll. Telegram takes the names of methods in any case. */
const pollPath = /\/(?:bot|user)\d+:[^/]+\/(?:test\/)?getUpdates(?:[/?]|$)/i;

/**
 * Calls `held` with each poll that the process makes while the patches are in place. All of `node:http` and `node:https`
 * is seen, however it was imported: a request is sent on the socket that it is given. So is the `fetch` of Node.
 */
export function holdPolls(held: (poll: HeldPoll) => void, patches: Patches): void {
  const requests: { onSocket(...args: never[]): void } = http.ClientRequest.prototype;
  const { onSocket } = requests;
  patches.replace(requests, 'onSocket', function (this: http.ClientRequest, ...args: unknown[]) {
    const send = () => {
      Reflect.apply(onSocket, this, args);
    };
    if (patches.active && pollPath.test(this.path)) held({ files: filesOfStack(), send });
    else send();
  });

  const { fetch } = globalThis;
  patches.replace(globalThis, 'fetch', async function (this: unknown, ...args: Parameters<typeof fetch>) {
    if (patches.active && pollPath.test(addressOf(args[0])))
      await new Promise<void>((send) => held({ files: filesOfStack(), send }));
    return Reflect.apply(fetch, this, args);
  });
}

const addressOf = (input: Parameters<typeof fetch>[0]): string =>
  typeof input === 'object' && 'url' in input ? input.url : String(input);

/** Without lastcall's own files, which are in the folder of this one. */
function filesOfStack(): readonly string[] {
  const [own = '', ...files] = readCallSites((site) => site.getFileName() ?? '')
    .map((file) => (file.startsWith('file:') ? fileURLToPath(file) : file))
    .filter(isAbsolute);
  return files.filter((file) => dirname(file) !== dirname(own));
}
