/** A way to a database that breaks once, at a commit. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Whether the commit has reached the server. Either way its answer does not come back. */
export type CommitFate = 'carried out' | 'lost';

/** A simple query of the protocol: its type, its length, its text, and a zero. */
const COMMIT = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1');

export class CommitCut implements AsyncDisposable {
  /** The URL of the database by this way. */
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOver = false;

  private constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
  }

  /** The first commit of all connections meets this fate, and the connection with it. */
  static async open(url: string, fate: CommitFate): Promise<CommitCut> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const way = new URL(url);
    const cut = new CommitCut(
      Object.assign(new URL(url), { port: `${(server.address() as AddressInfo).port}` }).href,
      server,
    );
    server.on('connection', (client) => cut.#join(client, connect(Number(way.port), way.hostname), fate));
    return cut;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
    if (!this.#isOver) throw new Error('there was no commit');
  }

  #join(client: Socket, database: Socket, fate: CommitFate): void {
    for (const socket of [client, database]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    }
    database.on('data', (bytes) => client.write(bytes));
    database.on('close', () => client.destroy());
    client.on('close', () => database.end());
    client.on('data', (bytes) => {
      if (this.#isOver || !bytes.includes(COMMIT)) {
        database.write(bytes);
        return;
      }
      this.#isOver = true;
      if (fate === 'lost') {
        client.destroy();
        return;
      }
      // The server answers when it has done it.
      database.removeAllListeners('data').once('data', () => client.destroy());
      database.write(bytes);
    });
  }
}
