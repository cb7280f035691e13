/** An address that leads to a port, and later to another one, as the name of a database that follows the primary. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

export class Route implements AsyncDisposable {
  readonly #server: net.Server;
  readonly #connections = new Set<{ readonly near: net.Socket; readonly far: net.Socket }>();
  #target: number;
  #isHeld = false;

  private constructor(target: number) {
    this.#target = target;
    this.#server = net.createServer((near) => this.#connect(near));
  }

  static async open(target: number): Promise<Route> {
    const route = new Route(target);
    await once(route.#server.listen(0, '127.0.0.1'), 'listening');
    return route;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Leads elsewhere from now on. Connections to where it led end, with what is held of them. */
  lead(target: number): void {
    this.#target = target;
    for (const { near, far } of this.#connections) {
      near.destroy();
      far.destroy();
    }
  }

  /** What comes from the target is kept here from now on. */
  hold(): void {
    this.#isHeld = true;
    for (const { near, far } of this.#connections) far.unpipe(near).pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.lead(0);
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connect(near: net.Socket): void {
    const far = net.connect(this.#target, '127.0.0.1');
    const connection = { near, far };
    this.#connections.add(connection);
    near.pipe(far);
    if (!this.#isHeld) far.pipe(near);
    const end = () => {
      this.#connections.delete(connection);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
  }
}
