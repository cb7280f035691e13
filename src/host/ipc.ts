/** The IPC channel to the parent. pm2 can send `'shutdown'` instead of a signal, and closes it when its daemon ends. */

/** The part of `process` that is an IPC channel; `connected` is undefined without one, and false once closed. */
export interface IpcChannel {
  readonly connected?: boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'disconnect', listener: () => void): unknown;
}

export interface IpcListener {
  shutdown(): void;
  /** Called when the channel closes under pm2. Other parents may close the channel and go on. */
  supervisorGone(): void;
}

/** Listens on the channel if the process has one. Returns a function that stops listening. */
export function listenOnIpc(channel: IpcChannel, underPm2: boolean, listener: IpcListener): () => void {
  if (channel.connected === undefined) return () => {};
  const onMessage = (message: unknown) => {
    if (message === 'shutdown') listener.shutdown();
  };
  const onDisconnect = () => {
    if (underPm2) listener.supervisorGone();
  };
  if (!channel.connected) {
    onDisconnect();
    return () => {};
  }
  channel.on('message', onMessage);
  channel.on('disconnect', onDisconnect);
  return () => {
    channel.off('message', onMessage);
    channel.off('disconnect', onDisconnect);
  };
}
