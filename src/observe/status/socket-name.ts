/** The names of the sockets in a bot's folder at which the processes that know of the bot answer. */

/** The socket of the process that runs the bot. */
export const SOCKET = 'status.sock';

/** The socket of a process that stands by, or whose first name is taken. */
export const ownSocket = (pid: number): string => `status-${pid}.sock`;

export const isSocketName = (name: string): boolean => /^status(-\d+)?\.sock$/.test(name);
