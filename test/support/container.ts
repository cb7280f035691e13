/**
 * A container as Docker makes one, as far as the namespaces go: processes, mounts and a layer of its own over the machine's
 * files, with the command as PID 1, and /app with lastcall among its packages. The network is the machine's.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { Daemon, type Exit } from './daemon.js';
import { repository } from './folder.js';

const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child'];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Tests that need containers. Where there can be none they are skipped, and the name says why. */
export function describeInContainers(name: string, tests: () => void): void {
  const missing = whyNoContainers();
  if (missing === undefined) describe(name, tests);
  else describe.skip(`${name} (skipped: ${missing})`, tests);
}

function whyNoContainers(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'it takes root';
  for (const tool of ['unshare', 'nsenter', 'setpriv', 'bash'])
    if (!PATH.split(':').some((folder) => existsSync(join(folder, tool)))) return `${tool} is not installed`;
  try {
    execFileSync('unshare', [...namespaces, 'true'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'there can be no namespaces';
  }
}

export interface ContainerOptions {
  /** The command in the exec form. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Commands of a shell that make the image, as root in `/app`. */
  readonly build?: readonly string[];
  /** The user that runs the command; default: root. */
  readonly user?: 'node';
  /** A folder of the machine, and where the container has it. */
  readonly volume?: { readonly from: string; readonly at: string };
  /** With a process above the command that passes SIGTERM on and collects what others leave behind: `docker run --init`. */
  readonly init?: boolean;
  /** The root is read-only. */
  readonly readOnly?: boolean;
}

/** Becomes PID 1; `$1`: an empty folder, `$2`: the repository, `$3`: node. Its other arguments are the command. */
const boot = `
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs run
touch .dockerenv
mkdir -p app/node_modules/.bin app/node_modules/lastcall mnt usr/local/bin
mount --rbind "$2" app/node_modules/lastcall
ln -s ../lastcall/dist/main.js app/node_modules/.bin/lastcall
ln -sf /app/node_modules/lastcall/node_modules/.bin/pm2-runtime usr/local/bin/pm2-runtime
[ -e usr/local/bin/node ] || touch usr/local/bin/node
mount --bind "$3" usr/local/bin/node
grep -q ^node: etc/passwd || echo 'node:x:1000:1000::/home/node:/bin/sh' >> etc/passwd
mkdir -p home/node
chown 1000:1000 home/node
hostname container
chroot . sh -euc "cd /app; $BUILD"
if [ -n "$VOLUME" ]; then
  # As Docker does with a new volume: it belongs to whom the folder of the image belongs to.
  chown --reference=".$AT" "$VOLUME"
  mount --bind "$VOLUME" ".$AT"
fi
if [ -n "$READ_ONLY" ]; then mount -o remount,ro .
else mount -t tmpfs -o mode=1777 tmpfs tmp; fi
pivot_root . mnt
umount --lazy mnt
cd /app
shift 3
unset container BUILD VOLUME AT READ_ONLY
exec "$@"
`;

/** A process like Docker's init, by name, too: not one of the shells that keep signals. */
const asInit = [
  'exec -a docker-init bash -c "$0" "$@"',
  `
"$@" & child=$!
trap 'kill -TERM $child' TERM
code=0
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
exit $code`,
];

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Ends with its test: `await using`. */
export class Container implements AsyncDisposable {
  readonly daemon: Daemon;
  readonly #folder = mkdtempSync(join(tmpdir(), 'lastcall-container-'));
  readonly #as: readonly string[];
  readonly #env: Readonly<Record<string, string>>;

  constructor({ command, env = {}, build = [], user, volume, init: hasInit, readOnly }: ContainerOptions) {
    this.#as = user ? ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', '--'] : [];
    this.#env = { PATH, HOME: '/home/node', ...env };
    const init = hasInit ? ['bash', '-c', ...asInit, 'docker-init'] : [];
    const first = [...init, ...this.#as, ...command];
    const given = [this.#folder, repository, process.execPath, ...first];
    // What the daemon's own command would be follows, and is left out.
    const enter = `boot=$1; shift; exec unshare $NAMESPACES sh -c "$boot" boot "\${@:1:${given.length}}"`;
    this.daemon = new Daemon({
      entering: ['bash', '-c', enter, 'container', boot, ...given],
      env: {
        ...this.#env,
        NAMESPACES: namespaces.join(' '),
        BUILD: build.join('\n'),
        VOLUME: volume?.from ?? '',
        AT: volume?.at ?? '',
        READ_ONLY: readOnly ? 'yes' : '',
      },
    });
  }

  /** The id that PID 1 of the container has outside of it. */
  get #pid(): number {
    const { pid } = this.daemon.child;
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    if (!child) throw new Error(`the container has ended:\n${this.daemon.output}`);
    return Number(child);
  }

  /** Signals PID 1, as `docker stop` does, and waits for the end of the container. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit & { tookMs: number }> {
    process.kill(this.#pid, signal);
    return this.daemon.stop(null);
  }

  /** Runs a command in the container as its user, as `docker exec` and a HEALTHCHECK do. */
  exec(...command: readonly string[]): Promise<Ran> {
    return this.#exec([...this.#as, ...command]);
  }

  /** The same with a clock of the machine that is so much later. */
  execLater(seconds: number, ...command: readonly string[]): Promise<Ran> {
    return this.#exec(['unshare', '--time', `--monotonic=${seconds}`, '--fork', ...this.#as, ...command]);
  }

  #exec(command: readonly string[]): Promise<Ran> {
    const target = `--target=${this.#pid}`;
    const entering = [target, '--mount', '--pid', '--uts', '--ipc', '--root', '--wdns=/app'];
    return new Promise((resolve, reject) => {
      execFile('nsenter', [...entering, ...command], { env: this.#env }, (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') return reject(error);
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Not by the end of `unshare`, which a process that has changed its user does not notice.
    if (this.daemon.child.exitCode === null && this.daemon.child.signalCode === null)
      process.kill(this.#pid, 'SIGKILL');
    await this.daemon[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
