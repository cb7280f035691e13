/**
 * The IPC channel to a parent process: pm2 can send `'shutdown'` instead of a signal, and a channel that closes
 * under pm2 means that its daemon is gone and nobody supervises us any more.
 */

/** The part of `process` that is an IPC channel; `connected` is false or missing without one. */
export interface IpcChannel {
  readonly connected?: boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'disconnect', listener: () => void): unknown;
}

export interface IpcListener {
  shutdown(): void;
  /** Called only under pm2; elsewhere a parent may close the channel for reasons of its own. */
  supervisorGone(): void;
}

/**
 * Listens on the channel, if there is one.
 * @param underPm2 whether pm2 started this process (it sets `pm_id`)
 * @returns a function that stops listening
 */
export function listenOnIpc(channel: IpcChannel, underPm2: boolean, listener: IpcListener): () => void {
  if (channel.connected === undefined) return () => {};
  if (!channel.connected) {
    if (underPm2) listener.supervisorGone();
    return () => {};
  }
  const onMessage = (message: unknown) => {
    if (message === 'shutdown') listener.shutdown();
  };
  const onDisconnect = () => {
    if (underPm2) listener.supervisorGone();
  };
  channel.on('message', onMessage);
  channel.on('disconnect', onDisconnect);
  return () => {
    channel.off('message', onMessage);
    channel.off('disconnect', onDisconnect);
  };
}
